/* Reads the first records twice: see sniff_table.h.
 *
 * The first time, how many fields each has, and how many of them are not empty.  Records with
 * hardly any, before the first that has more, are titles.  The second time, the cells of the
 * first record are compared with those below them.
 */
#include "core/sniff_table.h"

#include <string.h>

#include "core/fields.h"
#include "core/fields_feed.h"
#include "core/memory.h"
#include "core/sniff_bits.h"
#include "core/sniff_cell.h"

#define RECORDS 512 /* that are looked at */
#define COLUMNS 128
#define MOST_TITLES 64

typedef struct {
    uint32_t lines; /* physical */
    uint32_t count; /* fields */
    uint32_t full;  /* those that are not empty */
    bool comment;
} outline;

typedef struct {
    sniff_type first; /* the type of its name */
    uint32_t hash;
    uint32_t length;
    uint32_t seen[SNIFF_TYPES]; /* in the records below */
    uint32_t total;             /* of these that are not empty */
    uint32_t same;              /* cells that are the same as the name */
    uint32_t as_long;           /* cells that are as long as the one above */
    uint32_t last_length;
} column;

typedef struct {
    const fields_dialect *dialect;
    const sniff_comment *comment;
    const void *text;
    int width;
    fields machine;
    uint32_t count;
    outline outlines[RECORDS];
    column columns[COLUMNS];
} table;

static void
read_cell(const table *self, const fields_record *record, uint32_t i, sniff_cell *cell)
{
    sniff_cell_read(cell, self->dialect, self->text, self->width,
                    fields_start(&self->machine, record, i),
                    fields_end(&self->machine, record, i), true);
}

static void
outline_record(table *self, const fields_record *record)
{
    outline *o = &self->outlines[self->count++];
    *o = (outline){.lines = record->lines, .count = fields_count(&self->machine, record)};
    o->comment = sniff_is_comment(self->comment, self->text, self->width, record->start,
                                  fields_end(&self->machine, record, 0));
    for (uint32_t i = 0; !o->comment && i < o->count; i++) {
        sniff_cell cell;
        read_cell(self, record, i, &cell);
        o->full += cell.type != SNIFF_EMPTY;
    }
}

/* ---- what is above the table ---- */

/* The number of fields that the table has: the one with the most cells. */
static uint32_t
usual_count(const table *self)
{
    uint32_t best = 0;
    uint64_t most = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        const outline *o = &self->outlines[i];
        uint64_t cells = 0;
        if (o->comment || o->count == best) {
            continue;
        }
        for (uint32_t j = 0; j < self->count; j++) {
            const bool same =
                !self->outlines[j].comment && self->outlines[j].count == o->count;
            cells += same ? o->count : 0;
        }
        if (cells > most) {
            most = cells;
            best = o->count;
        }
    }
    return best;
}

static bool
is_title(const outline *o, uint32_t usual)
{
    if (o->comment || o->count == 0) {
        return true;
    }
    if (usual < 2 || (o->count == usual && usual < 3)) {
        return false;
    }
    return o->full < 2 || o->full * 3 < usual;
}

/* The index of the first record of the table. */
static uint32_t
find_start(const table *self, uint32_t usual)
{
    uint32_t start = 0;
    while (start < self->count && is_title(&self->outlines[start], usual)) {
        start++;
    }
    uint32_t below = start + 1;
    while (below < self->count && self->outlines[below].count == 0) {
        below++;
    }
    const bool alone = below < self->count && is_title(&self->outlines[below], usual);
    if (start < self->count && start <= MOST_TITLES && !(start > 0 && alone)) {
        return start;
    }
    /* No title, then, but comments and blank lines. */
    start = 0;
    while (start < self->count &&
           (self->outlines[start].comment || self->outlines[start].count == 0)) {
        start++;
    }
    return start;
}

static uint32_t
measure_top(const table *self, sniff_table *result, uint32_t usual)
{
    const uint32_t start = find_start(self, usual);
    for (uint32_t i = 0; i < self->count; i++) {
        const outline *o = &self->outlines[i];
        result->comments += o->comment;
        result->doubtful += o->comment && usual > 1 && o->count == usual;
        if (i < start) {
            result->skip += o->lines;
            result->titles += !o->comment && o->count > 0;
        }
        else {
            result->records += !o->comment && o->count > 0;
        }
    }
    return start;
}

/* ---- the header ---- */

static void
read_first(table *self, const fields_record *record)
{
    const uint32_t count = fields_count(&self->machine, record);
    for (uint32_t i = 0; i < count && i < COLUMNS; i++) {
        sniff_cell cell;
        read_cell(self, record, i, &cell);
        self->columns[i] =
            (column){.first = cell.type, .hash = cell.hash, .length = cell.count};
    }
}

static void
read_below(table *self, const fields_record *record)
{
    const uint32_t count = fields_count(&self->machine, record);
    for (uint32_t i = 0; i < count && i < COLUMNS; i++) {
        sniff_cell cell;
        column *c = &self->columns[i];
        read_cell(self, record, i, &cell);
        c->seen[cell.type]++;
        if (cell.type != SNIFF_EMPTY) {
            c->total++;
            c->same += cell.hash == c->hash;
            c->as_long += cell.count == c->last_length;
            c->last_length = cell.count;
        }
    }
}

/* How many cells below are of the type that most are of. */
static uint32_t
column_values(const column *c)
{
    uint32_t values = 0;
    for (int type = SNIFF_INTEGER; type <= SNIFF_DATETIME; type++) {
        values += c->seen[type];
    }
    return values;
}

/* What the first cell of a column tells of whether it is a name, in halves of a bit. */
static int32_t
judge_column(const column *c, bool is_first_column)
{
    const bool is_value = sniff_type_is_value(c->first);
    const uint32_t values = column_values(c);
    if (c->first == SNIFF_EMPTY) {
        return is_first_column ? 0 : -2;
    }
    if (c->total == 0) {
        return is_value ? -2 : 1;
    }
    if (is_value) {
        /* A year may be the name of a column of numbers. */
        const bool year = c->first == SNIFF_INTEGER && c->length == 4 && c->same == 0;
        return year ? (c->last_length == 4 ? -1 : 1) : values * 2 > c->total ? -8 : -4;
    }
    if (values * 10 >= c->total * 8) {
        return 10;
    }
    if (c->same > 0) {
        return -6;
    }
    if (c->total > 4 && c->as_long * 10 > c->total * 8 && c->length != c->last_length) {
        return 4;
    }
    return c->first == SNIFF_WORD && c->seen[SNIFF_TEXT] * 2 > c->total ? 3
           : c->first == SNIFF_TEXT && c->length > 50                   ? -2
                                                                        : 1;
}

static int32_t
judge_header(const table *self, uint32_t columns)
{
    int32_t sum = 1; /* most files have one */
    for (uint32_t i = 0; i < columns && i < COLUMNS; i++) {
        const column *c = &self->columns[i];
        sum += judge_column(c, i == 0);
        for (uint32_t j = 0; c->first != SNIFF_EMPTY && j < i; j++) {
            sum -= self->columns[j].hash == c->hash ? 4 : 0;
        }
    }
    return sum;
}

/* ---- both ---- */

static bool
walk(table *self, size_t length, bool whole)
{
    fields *m = &self->machine;
    if (!fields_feed(m, self->text, self->width, length)) {
        return false;
    }
    return !whole || fields_wants_newline(m) || fields_finish(m, self->text, self->width);
}

static void
read_table(table *self, sniff_table *result)
{
    const fields_record *record;
    fields *m = &self->machine;
    while (self->count < RECORDS && (record = fields_take(m)) != NULL) {
        outline_record(self, record);
    }
    result->columns = usual_count(self);
    const uint32_t start = measure_top(self, result, result->columns);
    m->taken = start;
    for (uint32_t i = start; i < self->count && (record = fields_take(m)) != NULL; i++) {
        if (i == start) {
            read_first(self, record);
        }
        else if (!self->outlines[i].comment) {
            read_below(self, record);
        }
    }
    const uint32_t first = start < self->count ? self->outlines[start].count : 0;
    result->header = first > 0 ? judge_header(self, first) : -1;
}

bool
sniff_table_read(sniff_table *self, const fields_dialect *dialect,
                 const sniff_comment *comment, const scan_kernel *kernel, const void *text,
                 int width, size_t length, bool whole)
{
    *self = (sniff_table){0};
    table *t = CORE_REALLOC(NULL, sizeof *t);
    if (t == NULL) {
        return false;
    }
    memset(t, 0, sizeof *t);
    t->dialect = dialect;
    t->comment = comment;
    t->text = text;
    t->width = width;
    fields_init(&t->machine, dialect, kernel, FIELDS_STREAM);
    const bool fine = walk(t, length, whole);
    if (fine) {
        read_table(t, self);
    }
    fields_free(&t->machine);
    CORE_FREE(t);
    return fine;
}
