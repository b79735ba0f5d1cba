/* The interface gives no size of any buffer but of those of views, so what a buffer holds must
 * be believed.  How many buffers and children there are, and how long the children are, is
 * checked here, once for each batch.  It calls itself for children, no deeper than the type.
 */
#include "arrow/check.h"

/* Whether a child has all the values that `count` values of its parent have. */
static bool
covers(const struct ArrowArray *child, int64_t count)
{
    return child->length >= count;
}

static const char *
check_buffers(const arrow_type *type, const struct ArrowArray *array)
{
    int expected = arrow_buffer_count(type->kind);
    bool right = arrow_is_view(type->kind) ? array->n_buffers >= expected
                                           : array->n_buffers == expected;
    if (!right) {
        return "the number of buffers is wrong";
    }
    if (expected == 0) {
        return NULL;
    }
    if (array->buffers == NULL) {
        return "the buffers are missing";
    }
    bool unions = type->kind == ARROW_DENSE_UNION || type->kind == ARROW_SPARSE_UNION;
    for (int i = unions ? 0 : 1; array->length > 0 && i < expected; i++) {
        /* The bytes of strings may all be within the views, or there may be none. */
        bool optional = i == 2 && !unions && type->kind != ARROW_LIST_VIEW &&
                        type->kind != ARROW_LARGE_LIST_VIEW;
        bool empty = type->kind == ARROW_FIXED_BINARY && type->width == 0;
        if (array->buffers[i] == NULL && !optional && !empty) {
            return "a buffer is missing";
        }
    }
    return NULL;
}

static const char *
check_lengths(const arrow_type *type, const struct ArrowArray *array)
{
    int64_t count = array->offset + array->length;
    bool right = true;
    switch (type->kind) {
    case ARROW_STRUCT:
    case ARROW_SPARSE_UNION:
        for (size_t i = 0; right && i < type->child_count; i++) {
            right = covers(array->children[i], count);
        }
        break;
    case ARROW_FIXED_LIST:
        right = type->width == 0 || (count <= INT64_MAX / type->width &&
                                     covers(array->children[0], count * type->width));
        break;
    case ARROW_RUN_END:
        right = covers(array->children[1], array->children[0]->length) &&
                (array->length == 0 || array->children[0]->length > 0) &&
                array->children[0]->null_count <= 0;
        break;
    default:
        break;
    }
    return right ? NULL : "a child is too short";
}

static const char *
check_children(const arrow_type *type, const struct ArrowArray *array)
{
    if (array->n_children < 0 || (uint64_t)array->n_children != type->child_count ||
        (array->n_children > 0 && array->children == NULL)) {
        return "the number of children is wrong";
    }
    for (size_t i = 0; i < type->child_count; i++) {
        const char *fault = arrow_check(&type->children[i], array->children[i]);
        if (fault != NULL) {
            return fault;
        }
    }
    return type->dictionary == NULL ? NULL : arrow_check(type->dictionary, array->dictionary);
}

const char *
arrow_check(const arrow_type *type, const struct ArrowArray *array)
{
    if (array == NULL) {
        return "an array is missing";
    }
    if (array->release == NULL) {
        return "the array was released";
    }
    if (array->length < 0 || array->offset < 0 || array->length > INT64_MAX - 1 ||
        array->offset > INT64_MAX - 1 - array->length) {
        return "length and offset are wrong";
    }
    const char *fault = check_buffers(type, array);
    if (fault == NULL) {
        fault = check_children(type, array);
    }
    return fault == NULL ? check_lengths(type, array) : fault;
}
