/* Lines: see lines.h.
 *
 * The block holds the bytes that are not taken yet.  Whole groups of them are searched by a
 * scan kernel; the last group is copied and filled up.  Every line end that was found is taken
 * before more is fed, so that what was found never moves.
 */
#include "core/lines.h"

#include <assert.h>
#include <string.h>

#define MARK "\xef\xbb\xbf"
#define MARK_LENGTH 3

/* ---- searching ---- */

static inline uint64_t
lines_ends_in(const lines *self, const scan_masks *masks)
{
    return self->newline_length == 0 ? masks->end : masks->delimiter;
}

bool
lines_search(lines *self)
{
    scan_masks masks[LINES_GROUPS];
    size_t left = self->block.length - self->searched;
    if (left == 0) {
        return false;
    }
    const uint8_t *from = self->block.data + self->searched;
    size_t groups = left / SCAN_GROUP;
    self->window = self->searched;
    if (groups > 0) {
        groups = groups < LINES_GROUPS ? groups : LINES_GROUPS;
        scan_units(self->kernel, from, groups, 1, &self->set, masks);
        self->searched += groups * SCAN_GROUP;
    }
    else {
        uint8_t last[SCAN_GROUP] = {0};
        memcpy(last, from, left);
        groups = 1;
        scan_units(self->kernel, last, 1, 1, &self->set, masks);
        masks[0].end &= (UINT64_C(1) << left) - 1;
        masks[0].delimiter &= (UINT64_C(1) << left) - 1;
        self->searched += left;
    }
    for (size_t i = 0; i < groups; i++) {
        self->found[i] = lines_ends_in(self, &masks[i]);
        if (masks[i].high != 0) {
            self->high_end = self->window + (i + 1) * SCAN_GROUP;
        }
    }
    self->group = 0;
    self->groups = groups;
    self->left = self->found[0];
    return true;
}

/* ---- feeding ---- */

uint8_t *
lines_room(lines *self, size_t count, buffer_status *status)
{
    assert(self->left == 0 && self->group + 1 >= self->groups); /* no line end is left */
    if (self->start > 0) {
        buffer_drop(&self->block, self->start);
        self->block_byte += self->start;
        /* The LF of a CR may be taken before it is searched. */
        self->searched -= self->searched < self->start ? self->searched : self->start;
        self->high_end -= self->high_end < self->start ? self->high_end : self->start;
        self->start = 0;
    }
    *status = buffer_reserve(&self->block, count, 1);
    return *status == BUFFER_OK ? self->block.data + self->block.length : NULL;
}

void
lines_filled(lines *self, size_t count)
{
    if (self->after_carriage && count > 0) {
        self->after_carriage = false;
        if (self->block.data[self->block.length] == '\n') {
            self->start = self->block.length + 1; /* all before it is taken */
        }
    }
    self->block.length += count;
}

buffer_status
lines_feed(lines *self, const void *bytes, size_t count)
{
    buffer_status status;
    uint8_t *room = lines_room(self, count, &status);
    if (room != NULL) {
        if (count > 0) {
            memcpy(room, bytes, count);
        }
        lines_filled(self, count);
    }
    return status;
}

void
lines_finish(lines *self)
{
    self->finished = true;
}

/* ---- taking ---- */

/* Drop the mark if it is there.  False if that is not known yet. */
static bool
lines_drop_mark(lines *self)
{
    size_t count = self->block.length < MARK_LENGTH ? self->block.length : MARK_LENGTH;
    bool begins = count == 0 || memcmp(self->block.data, MARK, count) == 0;
    if (begins && count < MARK_LENGTH && !self->finished) {
        return false;
    }
    if (begins && count == MARK_LENGTH) {
        self->start = self->searched = MARK_LENGTH;
    }
    self->drops_mark = false;
    return true;
}

/* The next line has that end.  LINES_MORE if it is skipped. */
static inline lines_result
lines_give(lines *self, lines_span *span, size_t length, size_t end)
{
    span->bytes = self->start > 0 ? self->block.data + self->start : self->block.data;
    if (length > self->max_line && !self->skipping) {
        span->length = self->max_line;
        span->end = 0;
        return LINES_TOO_LONG;
    }
    span->length = length;
    span->end = end;
    self->start += length + end;
    self->line_count++;
    self->left &= self->left - 1; /* the end that was found, or 0 */
    if (self->skipping) {
        self->skipping = false;
        self->skipped = 0;
        return LINES_MORE;
    }
    return LINES_LINE;
}

/* The byte at `at` may end the next line.  LINES_MORE if it does not, or if the line is
   skipped; then it was taken. */
static inline lines_result
lines_end_at(lines *self, lines_span *span, size_t at)
{
    size_t length = self->newline_length;
    if (at < self->start) { /* the LF of a CR LF, or of a string that is taken */
        self->left &= self->left - 1;
        return LINES_MORE;
    }
    if (length == 1) {
        return lines_give(self, span, at - self->start, 1);
    }
    if (length > 0) {
        if (at + 1 - self->start < length ||
            memcmp(self->block.data + at + 1 - length, self->newline, length) != 0) {
            self->left &= self->left - 1;
            return LINES_MORE;
        }
        return lines_give(self, span, at + 1 - length - self->start, length);
    }
    if (self->block.data[at] == '\n') {
        return lines_give(self, span, at - self->start, 1);
    }
    if (at + 1 < self->block.length) {
        return lines_give(self, span, at - self->start,
                          self->block.data[at + 1] == '\n' ? 2 : 1);
    }
    if (self->keeps_ends && !self->finished && at - self->start <= self->max_line) {
        self->holds = true;
        self->held = at - self->start;
        self->left = 0;
        return LINES_MORE;
    }
    lines_result result = lines_give(self, span, at - self->start, 1);
    self->after_carriage = result != LINES_TOO_LONG;
    return result;
}

/* More was fed, or the end told: give the line that waited for it. */
static lines_result
lines_give_held(lines *self, lines_span *span)
{
    size_t at = self->start + self->held + 1;
    bool known = at < self->block.length;
    if (!known && !self->finished) {
        return LINES_MORE;
    }
    self->holds = false;
    return lines_give(self, span, self->held, known && self->block.data[at] == '\n' ? 2 : 1);
}

/* No line end is left.  What is left may be a line that is too long already. */
static lines_result
lines_rest(lines *self, lines_span *span)
{
    size_t rest = self->block.length - self->start;
    size_t longest_end = self->newline_length == 0 ? 2 : self->newline_length;
    if (self->finished) {
        if (rest == 0 && !self->skipping) {
            return LINES_OVER;
        }
        lines_result result = lines_give(self, span, rest, 0);
        return result == LINES_MORE ? LINES_OVER : result;
    }
    if (self->skipping) {
        size_t kept = longest_end - 1 < rest ? longest_end - 1 : rest;
        self->start += rest - kept;
        self->skipped += rest - kept;
    }
    else if (rest >= longest_end && rest - longest_end + 1 > self->max_line) {
        span->bytes = self->block.data + self->start;
        span->length = self->max_line;
        span->end = 0;
        return LINES_TOO_LONG;
    }
    return LINES_MORE;
}

lines_result
lines_next(lines *self, lines_span *span)
{
    size_t at;
    if (self->drops_mark && !lines_drop_mark(self)) {
        return LINES_MORE;
    }
    if (self->holds) {
        lines_result result = lines_give_held(self, span);
        if (result != LINES_MORE || self->holds) {
            return result;
        }
    }
    while (lines_find(self, &at)) {
        lines_result result = lines_end_at(self, span, at);
        if (result != LINES_MORE || self->holds) {
            return result;
        }
    }
    return lines_rest(self, span);
}

void
lines_skip(lines *self)
{
    self->skipping = true;
}

/* ---- lifetime ---- */

void
lines_init(lines *self, const scan_kernel *kernel, const void *newline, size_t newline_length,
           bool keeps_ends, size_t max_line)
{
    *self = (lines){
        .kernel = kernel,
        .set = {SCAN_ABSENT, SCAN_ABSENT, SCAN_ABSENT},
        .newline_length = newline_length,
        .max_line = max_line,
        .keeps_ends = keeps_ends,
    };
    buffer_init(&self->block);
    if (newline_length > 0) {
        memcpy(self->newline, newline, newline_length);
        self->set.delimiter = self->newline[newline_length - 1];
    }
}

void
lines_free(lines *self)
{
    self->finished = true;
    self->start = self->searched = 0;
    self->left = 0;
    self->groups = 0;
    buffer_free(&self->block);
}

void
lines_resume(lines *self, uint64_t byte, bool after_carriage, uint64_t line_count)
{
    self->block_byte = byte;
    self->after_carriage = after_carriage;
    self->line_count = line_count;
    self->drops_mark = self->drops_mark && byte == 0;
}
