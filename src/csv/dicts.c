/* Dicts that all have the keys of one.
 *
 * A dict of the rows of a file has the same keys each time, in the same order.  A copy
 * of one that was made before costs half of making it key by key; and its values stand
 * in the order of the keys, to be put there without looking for each.
 *
 * Where they stand is in no public header.  This file alone is compiled as a part of the
 * interpreter, for versions whose layout is known; elsewhere, and with what does not look
 * as it should, nothing is filled.  The model must be out of the user's reach.
 *
 * Nothing here is owned, and no user code runs.
 */
#define Py_BUILD_CORE_MODULE 1

#include "csv/dicts.h"

#if PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED)

#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif
#include "internal/pycore_dict.h"
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif

/* Its keys and values in order; NULL unless there are so many, and no gaps. */
static PyDictUnicodeEntry *
entries_of(PyObject *op)
{
    PyDictObject *dict = (PyDictObject *)op;
    PyDictKeysObject *keys = dict->ma_keys;
    return dict->ma_values == NULL && keys->dk_kind == DICT_KEYS_UNICODE &&
                   keys->dk_nentries == dict->ma_used
               ? DK_UNICODE_ENTRIES(keys)
               : NULL;
}

bool
csv_dict_can_be_filled(PyObject *model, Py_ssize_t count)
{
    PyDictUnicodeEntry *entries = entries_of(model);
    Py_ssize_t place = 0, found = 0;
    PyObject *key, *value;
    if (entries == NULL) {
        return false;
    }
    while (PyDict_Next(model, &place, &key, &value)) {
        if (found >= count || entries[found].me_key != key ||
            entries[found].me_value != value || value != Py_None) {
            return false;
        }
        found++;
    }
    return found == count && count > 0;
}

PyObject *
csv_dict_filled(PyObject *model, PyObject *const *values, Py_ssize_t count)
{
    PyObject *dict = PyDict_Copy(model);
    if (dict == NULL) {
        return NULL;
    }
    PyDictUnicodeEntry *entries = entries_of(dict);
    if (entries == NULL || PyDict_GET_SIZE(dict) < count) {
        Py_DECREF(dict);
        PyErr_BadInternalCall();
        return NULL;
    }
    bool tracks = false;
    for (Py_ssize_t i = 0; i < count; i++) {
        entries[i].me_value = values[i];
        tracks |= PyType_IS_GC(Py_TYPE(values[i]));
        Py_DECREF(Py_None);
    }
    /* Until it holds what the collector must see a dict goes without it. */
    if (tracks && !PyObject_GC_IsTracked(dict)) {
        PyObject_GC_Track(dict);
    }
    return dict;
}

#else

bool
csv_dict_can_be_filled(PyObject *Py_UNUSED(model), Py_ssize_t Py_UNUSED(count))
{
    return false;
}

PyObject *
csv_dict_filled(PyObject *Py_UNUSED(model), PyObject *const *Py_UNUSED(values),
                Py_ssize_t Py_UNUSED(count))
{
    PyErr_BadInternalCall();
    return NULL;
}

#endif
