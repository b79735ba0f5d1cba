/* Which of Arrow's types the column machine can lay out, and what each is called. */
#ifndef GENERATORS_ARROW_LAYOUT_H
#define GENERATORS_ARROW_LAYOUT_H

#include "arrow/batch.h"

/* Set the kind, the unit and so on of a spec to those of an Arrow type.  False if the machine
   does not lay out that type. */
bool arrow_layout_read(columns_spec *spec, const arrow_type *type);

/* Set the format of a field to the type that a spec lays out; `zone` is that of a timestamp.
   False if the zone is too long. */
bool arrow_layout_set_format(arrow_field *field, const columns_spec *spec, const char *zone);

/* The reverse: what a field's format means. */
bool arrow_layout_of_field(columns_spec *spec, const arrow_field *field);

#define ARROW_LONGEST_NAME 48

/* The name of what a spec lays out, as pyarrow spells it, for messages; a time zone is left
   out. */
void arrow_layout_name(const columns_spec *spec, char name[ARROW_LONGEST_NAME]);

#endif
