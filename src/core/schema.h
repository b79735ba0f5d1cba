/* The schema machine: records' spans (core/fields.h) -> what the columns hold.
 *
 * It finds the narrowest type that every value of a column has, and counts and measures the
 * values.  It makes no object and touches no interpreter.  Its memory does not depend on the
 * number of records.
 *
 * A type is given up at the first value that does not have it, which is kept.  What a value
 * is, core/number.h says.  Where that is not sure, the machine asks `ask`.  A machine without
 * it, on a thread that must not run Python, stops the column there and goes on with the
 * others.  The owner resumes the column later.
 *
 *     int         int(text), if it fits in 64 bits
 *     float       float(text), if the float has all digits of the text: writing it with as
 *                 many digits gives them again
 *     bool        number_bool()
 *     date, time, datetime      fromisoformat(text); a time has no zone; all datetimes of a
 *                 column have a zone, or none has
 *     decimal     Decimal(text)
 *
 * Machines of parts of a file are merged in the order of the parts.  The result is that of one
 * machine for all, also if a later part began with fewer types alive.
 *
 * A machine belongs to one thread at a time.  Several may share a layout, which never changes.
 */
#ifndef GENERATORS_CORE_SCHEMA_H
#define GENERATORS_CORE_SCHEMA_H

#include "core/schema_types.h"

/* False if there is no memory; the machine may be freed then too, like one that is all zero.
 */
bool schema_init(schema *self, const schema_layout *layout, columns_allocator allocate);
void schema_free(schema *self);

/* Forget all records, and take the types that are alive from another machine, which may be
   NULL for all. */
void schema_restart(schema *self, const schema *other);

/* Add the records from `from` up to `to`.  Record 0 of them has the number `base` + 1.
   SCHEMA_STOPPED: some columns stopped.  The pointers of the records are not kept. */
schema_status schema_add(schema *self, const columns_records *records, size_t from, size_t to,
                         uint64_t base);

/* Add the rest of the records to the columns that stopped; `other` knows which types are alive
   still.  The arguments are those of schema_add(). */
schema_status schema_resume(schema *self, const schema *other, const columns_records *records,
                            size_t to, uint64_t base);

/* Add what `part` has found in the records after those of this machine.  No column of it has
   stopped, and its `base` was 0: its records follow record `base`.  `part` may then only be
   freed or restarted. */
schema_status schema_merge(schema *self, schema *part, uint64_t base);

#endif
