/* Comments: lines that begin with dialect.comment where a record would begin.
 *
 * They are told before their units are read as a record, because they may hold quotes.
 */
#ifndef GENERATORS_CORE_FIELDS_COMMENT_H
#define GENERATORS_CORE_FIELDS_COMMENT_H

#include "core/fields_types.h"

/* Whether a record of which nothing but the beginning was read is a comment.  If the units end
   within what begins a comment, this is not known yet: they are read as a record, and asked
   about again when there are more. */
bool comment_is_next(const fields *self, const void *block, int width, uint32_t length);

/* Read a comment, as far as it goes. */
void comment_read(fields *self, const void *block, int width, uint32_t length);

/* The first place behind self->pos where a comment would begin if a record began there, or
   `length`. */
uint32_t comment_candidate(const fields *self, const void *block, int width, uint32_t length);

#endif
