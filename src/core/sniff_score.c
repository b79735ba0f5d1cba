/* Parses the text with the machine of every reader, and adds up: see sniff_score.h.
 *
 * What is written down of a record is its number of fields, of a field its type, whether it is
 * quoted, its characters and its end.  How surprising a type is, is told by the types above it
 * in its column.
 */
#include "core/sniff_score.h"

#include <string.h>

#include "core/fields.h"
#include "core/fields_feed.h"
#include "core/memory.h"
#include "core/sniff_bits.h"
#include "core/sniff_cell.h"
#include "core/units.h"

#define STEP ((size_t)16 * 1024)       /* units that are parsed at a time */
#define COLUMNS 128                    /* the ones after share the last */
#define END_COST (3 * SNIFF_BIT)       /* of a cell */
#define EMPTY_END_COST (3 * SNIFF_BIT) /* of an empty one */
#define RARE_COST (2 * SNIFF_BIT)      /* of a delimiter that few files have */
#define RAGGED_COST (8 * SNIFF_BIT)    /* another number of fields than before */
#define QUOTED_COST (5 * SNIFF_BIT)    /* quoted where the cell above was not, or not */
#define SPACE_COST SNIFF_BIT           /* a blank that is skipped */
#define NO_SPACE_COST (4 * SNIFF_BIT)  /* none, where they are skipped */

typedef struct {
    uint32_t seen[SNIFF_TYPES];
    uint32_t total;
    bool quoted; /* the last one was */
} column;

typedef struct {
    sniff_score *score;
    const fields_dialect *dialect;
    const sniff_comment *comment;
    const void *block;
    int width;
    bool rare;         /* few files have this delimiter */
    uint32_t previous; /* fields of the last record */
    uint32_t same;     /* records with as many fields as the one before */
    column all;        /* of all columns */
    column columns[COLUMNS];
} scoring;

static uint32_t
type_cost(scoring *self, sniff_type type, const column *c)
{
    const column *all = &self->all;
    const uint64_t cells = 2 * (uint64_t)all->total + SNIFF_TYPES;
    return sniff_log((c->total + 1) * cells) -
           sniff_log(c->seen[type] * cells + 2 * (uint64_t)all->seen[type] + 1);
}

static void
score_cell(scoring *self, const sniff_cell *cell, column *c, bool is_first)
{
    sniff_score *score = self->score;
    uint64_t cost = type_cost(self, cell->type, c);
    cost += cell->type == SNIFF_EMPTY ? EMPTY_END_COST : cell->cost + END_COST;
    cost += self->rare ? RARE_COST : 0;
    cost += cell->quoted == c->quoted ? 0 : QUOTED_COST;
    cost += cell->skipped * SPACE_COST;
    if (self->dialect->skip_space && !is_first && cell->skipped == 0 &&
        cell->type != SNIFF_EMPTY && self->dialect->set.delimiter != ' ') {
        cost += NO_SPACE_COST;
    }
    score->cost += cost;
    score->cells++;
    score->quoted += cell->quoted;
    score->doubled += cell->doubled;
    score->escaped += cell->escaped;
    score->damaged += cell->damaged;
    c->seen[cell->type]++;
    c->quoted = cell->quoted;
    c->total++;
    self->all.seen[cell->type]++;
    self->all.total++;
}

static void
score_length(scoring *self, uint32_t count)
{
    sniff_score *score = self->score;
    const bool same = count == self->previous;
    score->cost +=
        sniff_surprise(same ? self->same : score->records - self->same, score->records, 2);
    if (!same) {
        score->cost += 2 * sniff_log(count) + RAGGED_COST;
    }
    self->same += same;
    self->previous = count;
    score->records++;
}

/* What is no record is only spelled. */
static void
score_spelled(scoring *self, size_t start, size_t end)
{
    static const fields_dialect none = {.set = {SCAN_ABSENT, SCAN_ABSENT, SCAN_ABSENT}};
    sniff_cell cell;
    sniff_cell_read(&cell, &none, self->block, self->width, start, end, false);
    self->score->cost += cell.cost;
}

static void
score_record(scoring *self, const fields *machine, const fields_record *record)
{
    const uint32_t count = fields_count(machine, record);
    if (count == 0) {
        self->score->cost += SNIFF_BIT;
        return;
    }
    const uint32_t end = fields_end(machine, record, count - 1);
    if (sniff_is_comment(self->comment, self->block, self->width, record->start, end)) {
        score_spelled(self, record->start, end);
        return;
    }
    score_length(self, count);
    for (uint32_t i = 0; i < count; i++) {
        sniff_cell cell;
        sniff_cell_read(&cell, self->dialect, self->block, self->width,
                        fields_start(machine, record, i), fields_end(machine, record, i),
                        false);
        score_cell(self, &cell, &self->columns[i < COLUMNS ? i : COLUMNS - 1], i == 0);
    }
}

/* What is left from `start` on is part of a record.  One that the sample cuts off costs what
   the others do.  One that long, or at the end of everything, was opened by a quote that opens
   nothing, as far as can be told. */
static void
score_rest(scoring *self, size_t start, size_t end, bool whole)
{
    sniff_score *score = self->score;
    if (!whole && start > 0 && end - start <= STEP) {
        score->cost += score->cost * (end - start) / start;
        return;
    }
    score_spelled(self, start, end);
    score->damaged += end - start > STEP;
}

static bool
score_records(scoring *self, fields *machine, const void *text, size_t length, bool whole)
{
    const size_t size = (size_t)self->width;
    size_t base = 0, fed = 0;
    while (fed < length) {
        fed = length - fed < STEP ? length : fed + STEP;
        self->block = (const uint8_t *)text + base * size;
        if (!fields_feed(machine, self->block, self->width, fed - base) ||
            (fed == length && whole && !fields_wants_newline(machine) &&
             !fields_finish(machine, self->block, self->width))) {
            return false;
        }
        const fields_record *record;
        while ((record = fields_take(machine)) != NULL) {
            score_record(self, machine, record);
        }
        base += fields_rewind(machine);
    }
    self->block = text;
    score_rest(self, base, length, whole);
    return true;
}

bool
sniff_score_text(sniff_score *self, const fields_dialect *dialect,
                 const sniff_comment *comment, const scan_kernel *kernel, const void *text,
                 int width, size_t length, bool whole)
{
    *self = (sniff_score){0};
    scoring *s = CORE_REALLOC(NULL, sizeof *s);
    if (s == NULL) {
        return false;
    }
    memset(s, 0, sizeof *s);
    s->score = self;
    s->dialect = dialect;
    s->comment = comment;
    s->width = width;
    const uint32_t d = dialect->set.delimiter;
    s->rare = d != ',' && d != ';' && d != '\t' && d != '|' && d != SCAN_ABSENT;
    fields machine;
    fields_init(&machine, dialect, kernel, FIELDS_STREAM);
    const bool fine = score_records(s, &machine, text, length, whole);
    fields_free(&machine);
    CORE_FREE(s);
    return fine;
}
