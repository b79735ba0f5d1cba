/* csv_lead: the physical lines above the first record, which are passed over.
 *
 * A number of lines; or all lines before the first that begins with a text, or of which a
 * callable says that it is the one.  Then "sep=;", which spreadsheets write, may give the
 * delimiter.  Quotes mean nothing here.  What is passed over need not be text of the encoding.
 *
 * States: within a line that is passed over, or before a line of which it must be decided. The
 * parser owns it, and frees it when the first record begins.  Until then the machine has not
 * started and the position for a checkpoint is the start of the source.
 *
 * User code runs in the callable.  The front end is `running` meanwhile, and nothing is fed.
 */
#include "csv/parse/lead.h"

#include <string.h>

#include "core/units.h"
#include "csv/parse/error.h"

#define SEP_LENGTH 4 /* of "sep=" */

struct csv_lead {
    Py_ssize_t lines; /* to be passed over, if there is no `until` */
    PyObject *until;  /* owned: a callable, or the str with which the first line begins; or
                         NULL */
    PyObject *bytes;  /* owned: that str, encoded as the source; or NULL */
    size_t looked;    /* units of the next line that were looked at */
    bool called;      /* `until` is a callable */
    bool found;       /* the first line was found */
    bool within;      /* a line that is passed over */
    bool sep;         /* the next line may give the delimiter */
    bool marked;      /* a byte order mark may come */
};

typedef enum { LEAD_PASS, LEAD_STOP, LEAD_MORE, LEAD_FAILED } lead_verdict;

/* ---- making one ---- */

static int
lead_read_prefix(csv_parser *parser, csv_lead *self, PyObject *skip)
{
    const char *encoding = PyUnicode_AsUTF8(parser->encoding_name);
    if (encoding == NULL) {
        return -1;
    }
    if (PyBytes_Check(skip)) {
        self->until = PyUnicode_FromEncodedObject(skip, encoding, "strict");
        self->bytes =
            PyBytes_FromStringAndSize(PyBytes_AS_STRING(skip), PyBytes_GET_SIZE(skip));
    }
    else {
        self->until = PyUnicode_FromObject(skip);
        if (self->until != NULL && csv_parser_reads_natively(parser)) {
            self->bytes = PyUnicode_AsEncodedString(self->until, encoding, "strict");
        }
    }
    if (self->until == NULL || PyUnicode_READY(self->until) < 0 || PyErr_Occurred()) {
        return -1;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(self->until);
    if (length == 0 || PyUnicode_FindChar(self->until, '\n', 0, length, 1) >= 0 ||
        PyUnicode_FindChar(self->until, '\r', 0, length, 1) >= 0) {
        PyErr_Format(PyExc_ValueError, "skip must be the beginning of one line, not %R", skip);
        return -1;
    }
    return 0;
}

static int
lead_read_skip(csv_parser *parser, csv_lead *self, PyObject *skip)
{
    if (skip == NULL) {
        return 0;
    }
    if (PyUnicode_Check(skip) || PyBytes_Check(skip)) {
        return lead_read_prefix(parser, self, skip);
    }
    if (PyCallable_Check(skip)) {
        self->until = Py_NewRef(skip);
        self->called = true;
        return 0;
    }
    if (PyBool_Check(skip) || !PyIndex_Check(skip)) {
        PyErr_Format(PyExc_TypeError,
                     "skip must be a number of lines, the str or bytes with which the first "
                     "line begins, or a callable of a line, not %.200s",
                     Py_TYPE(skip)->tp_name);
        return -1;
    }
    self->lines = PyNumber_AsSsize_t(skip, NULL); /* a huge number is all lines */
    if (self->lines < 0 && !PyErr_Occurred()) {
        PyErr_Format(PyExc_ValueError, "skip must not be negative, not %R", skip);
    }
    return self->lines < 0 ? -1 : 0;
}

static void
lead_free(csv_lead *self)
{
    Py_XDECREF(self->until);
    Py_XDECREF(self->bytes);
    PyMem_Free(self);
}

static int
lead_traverse(csv_lead *self, visitproc visit, void *arg)
{
    Py_VISIT(self->until);
    return 0;
}

bool
csv_lead_gives_delimiter(const csv_parser *parser)
{
    return parser->lead != NULL && parser->lead->sep;
}

void
csv_lead_end(csv_parser *parser)
{
    csv_lead *self = parser->lead;
    parser->lead = NULL;
    lead_free(self);
}

/* ---- lines ---- */

/* Units of which the next line is the first. */
typedef struct {
    const void *units;
    int width;
    size_t at, length;
    bool bytes; /* they are bytes of the source */
    bool final; /* nothing follows */
} lead_text;

static bool
is_line_end(uint32_t c)
{
    return c == '\n' || c == '\r';
}

/* Where the line at `at` ends, from `from` on, or the length. */
static size_t
lead_line_end(const lead_text *t, size_t from)
{
    while (from < t->length && !is_line_end(unit_at(t->units, (uint32_t)from, t->width))) {
        from++;
    }
    return from;
}

static lead_verdict
lead_raise(const csv_parser *parser, generators_state *state, const char *message)
{
    const data_place place = {
        .path = parser->path,
        .record = -1,
        .line = (int64_t)parser->line_count + 1,
        .byte = -1,
    };
    csv_raise(state, &place, message);
    return LEAD_FAILED;
}

static lead_verdict
lead_not_found(const csv_parser *parser, generators_state *state)
{
    const csv_lead *self = parser->lead;
    const data_place place = {.path = parser->path, .record = -1, .line = -1, .byte = -1};
    csv_raise(state, &place,
              self->called ? "skip: the callable %R was true for no line"
                           : "skip: no line begins with %R",
              self->until);
    return LEAD_FAILED;
}

/* Whether the next line begins with the prefix. */
static lead_verdict
lead_compare(const csv_parser *parser, generators_state *state, const lead_text *t)
{
    const csv_lead *self = parser->lead;
    const size_t left = t->length - t->at;
    const bool bytes = t->bytes;
    const size_t count =
        (size_t)(bytes ? PyBytes_GET_SIZE(self->bytes) : PyUnicode_GET_LENGTH(self->until));
    if (left == 0) {
        return t->final ? lead_not_found(parser, state) : LEAD_MORE;
    }
    for (size_t i = 0; i < count && i < left; i++) {
        const uint32_t expected = bytes ? (uint8_t)PyBytes_AS_STRING(self->bytes)[i]
                                        : PyUnicode_READ_CHAR(self->until, (Py_ssize_t)i);
        if (unit_at(t->units, (uint32_t)(t->at + i), t->width) != expected) {
            return LEAD_PASS;
        }
    }
    return left >= count ? LEAD_STOP : t->final ? LEAD_PASS : LEAD_MORE;
}

/* The units from `at` up to `end` as text: a new reference, or NULL. */
static PyObject *
lead_line_text(const csv_parser *parser, const lead_text *t, size_t end)
{
    const char *start = (const char *)t->units + t->at * (size_t)t->width;
    const Py_ssize_t count = (Py_ssize_t)(end - t->at);
    if (!t->bytes) {
        return PyUnicode_FromKindAndData(t->width, start, count);
    }
    const char *encoding = PyUnicode_AsUTF8(parser->encoding_name);
    return encoding == NULL ? NULL : PyUnicode_Decode(start, count, encoding, "replace");
}

/* Whether the callable says that the next line is the first. */
static lead_verdict
lead_call(csv_parser *parser, generators_state *state, const lead_text *t)
{
    csv_lead *self = parser->lead;
    const size_t end = lead_line_end(t, t->at + self->looked);
    if (end - t->at > parser->dialect.fields.max_record) {
        return lead_raise(parser, state, "skip: a line is larger than max_record");
    }
    if (end == t->length && !t->final) {
        self->looked = end - t->at;
        return LEAD_MORE;
    }
    self->looked = 0;
    if (t->at == t->length) {
        return lead_not_found(parser, state);
    }
    PyObject *line = lead_line_text(parser, t, end);
    PyObject *until = Py_NewRef(self->until);
    PyObject *answer = line == NULL ? NULL : PyObject_CallOneArg(until, line);
    Py_DECREF(until);
    Py_XDECREF(line);
    const int truth = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return truth < 0 ? LEAD_FAILED : truth ? LEAD_STOP : LEAD_PASS;
}

/* Whether the next line is such as "sep=;", which is then passed over. */
static lead_verdict
lead_read_sep(csv_parser *parser, generators_state *state, const lead_text *t)
{
    static const char lower[] = "sep=", upper[] = "SEP=";
    fields_dialect *d = &parser->dialect.fields;
    uint32_t line[SEP_LENGTH + 2];
    const size_t left = t->length - t->at;
    size_t i = 0;
    for (; i < Py_ARRAY_LENGTH(line) && i < left; i++) {
        line[i] = unit_at(t->units, (uint32_t)(t->at + i), t->width);
        if (i < SEP_LENGTH && line[i] != (uint8_t)lower[i] && line[i] != (uint8_t)upper[i]) {
            return LEAD_STOP;
        }
    }
    if (i < Py_ARRAY_LENGTH(line) && !t->final) {
        return LEAD_MORE;
    }
    if (i <= SEP_LENGTH || is_line_end(line[SEP_LENGTH]) ||
        (i > SEP_LENGTH + 1 && !is_line_end(line[SEP_LENGTH + 1]))) {
        return LEAD_STOP;
    }
    const uint32_t delimiter = line[SEP_LENGTH];
    bool commented = false;
    for (uint32_t j = 0; j < d->comment_length; j++) {
        commented = commented || d->comment[j] == delimiter;
    }
    if (commented || delimiter == d->set.quote || delimiter == d->set.escape ||
        (csv_parser_reads_natively(parser) && delimiter > 0x7F)) {
        return lead_raise(parser, state,
                          "the line 'sep=' gives no delimiter that can be used");
    }
    d->set.delimiter = delimiter;
    return LEAD_PASS;
}

/* What becomes of the next line. */
static lead_verdict
lead_decide(csv_parser *parser, generators_state *state, const lead_text *t)
{
    csv_lead *self = parser->lead;
    if (self->until == NULL && self->lines > 0) {
        self->lines--;
        return LEAD_PASS;
    }
    if (self->until != NULL && !self->found) {
        lead_verdict verdict =
            self->called ? lead_call(parser, state, t) : lead_compare(parser, state, t);
        if (verdict != LEAD_STOP) {
            return verdict;
        }
        self->found = true;
    }
    if (!self->sep) {
        return LEAD_STOP;
    }
    lead_verdict verdict = lead_read_sep(parser, state, t);
    self->sep = verdict == LEAD_MORE;
    return verdict;
}

/* ---- the block ---- */

static void
lead_drop(csv_parser *parser, size_t count)
{
    buffer_drop(&parser->block, count);
    parser->block_byte += count;
}

/* Pass over the '\n' that belongs to the line before, and a byte order mark. */
static void
lead_begin_line(csv_parser *parser, lead_text *t)
{
    csv_lead *self = parser->lead;
    const uint32_t c = unit_at(t->units, (uint32_t)t->at, t->width);
    if (parser->after_carriage) {
        t->at += c == '\n';
        parser->after_carriage = false;
    }
    else if (self->marked) {
        t->at += c == 0xFEFF && t->width > 1;
    }
    self->marked = false;
}

/* Pass over the rest of a line.  False if its end is not there. */
static bool
lead_pass_line(csv_parser *parser, lead_text *t)
{
    t->at = lead_line_end(t, t->at);
    if (t->at == t->length && !t->final) {
        return false;
    }
    if (t->at < t->length) {
        parser->after_carriage = unit_at(t->units, (uint32_t)t->at, t->width) == '\r';
        t->at++;
    }
    parser->lead->within = false;
    parser->line_count++;
    return true;
}

static int
lead_pass(csv_parser *parser, generators_state *state, bool final)
{
    csv_lead *self = parser->lead;
    lead_text t = {
        .units = parser->block.data,
        .width = parser->block.width,
        .length = parser->block.length,
        .bytes = csv_parser_reads_natively(parser) && !parser->from_text,
        .final = final,
    };
    for (;;) {
        if (!self->within) {
            if (t.at < t.length) {
                lead_begin_line(parser, &t);
            }
            const bool over = t.at == t.length;
            lead_verdict verdict = over && !final ? LEAD_MORE : lead_decide(parser, state, &t);
            if (verdict == LEAD_FAILED) {
                return -1;
            }
            if (verdict == LEAD_MORE) {
                lead_drop(parser, t.at);
                return 0;
            }
            if (verdict == LEAD_STOP || over) {
                lead_drop(parser, t.at);
                csv_lead_end(parser);
                return 1;
            }
            self->within = true;
        }
        if (!lead_pass_line(parser, &t)) {
            lead_drop(parser, t.at);
            return 0;
        }
    }
}

static const csv_lead_kind lead_lines_kind = {lead_pass, lead_free, lead_traverse};

int
csv_lead_open(csv_parser *parser, PyObject *skip, bool sep, bool marked)
{
    csv_lead *self = PyMem_Calloc(1, sizeof *self);
    if (self == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    parser->lead_kind = &lead_lines_kind;
    parser->lead = self;
    self->sep = sep;
    self->marked = marked;
    if (lead_read_skip(parser, self, skip) < 0) {
        return -1;
    }
    if (self->lines == 0 && self->until == NULL && !sep && !marked) {
        parser->lead = NULL;
        lead_free(self);
    }
    return 0;
}

/* ---- lines ---- */

bool
csv_lead_pass_unseen(csv_parser *parser)
{
    csv_lead *self = parser->lead;
    if (self == NULL || self->until != NULL || self->lines == 0) {
        return false;
    }
    self->lines--;
    parser->lines_fed++;
    parser->line_count++;
    return true;
}

int
csv_lead_take_line(csv_parser *parser, generators_state *state, PyObject *line)
{
    lead_text t = {
        .units = PyUnicode_DATA(line),
        .width = (int)PyUnicode_KIND(line),
        .length = (size_t)PyUnicode_GET_LENGTH(line),
        .final = true,
    };
    if (t.length > BUFFER_LIMIT) {
        return csv_parser_raise_buffer(BUFFER_TOO_LONG);
    }
    if (t.length > 0) {
        lead_begin_line(parser, &t);
    }
    const bool sought = parser->lead->until != NULL && !parser->lead->found;
    lead_verdict verdict =
        sought && t.at == t.length ? LEAD_PASS : lead_decide(parser, state, &t);
    if (verdict == LEAD_FAILED) {
        return -1;
    }
    if (verdict == LEAD_STOP) {
        csv_lead_end(parser);
        return 1;
    }
    parser->lines_fed++;
    parser->line_count++;
    return 0;
}
