/* The names of attributes and methods that this room looks up, interned.  Looking up an
 * interned name is several times as fast.
 */
#include "csv/module/interned.h"

PyObject *
csv_interned_new(void)
{
    static const char *const names[CSV_NAME_COUNT] = {
        [CSV_NAME_FIELDNAMES] = "fieldnames", [CSV_NAME_OWN_FIELDNAMES] = "_fieldnames",
        [CSV_NAME_RESTKEY] = "restkey",       [CSV_NAME_RESTVAL] = "restval",
        [CSV_NAME_READER] = "reader",         [CSV_NAME_DIALECT] = "dialect",
        [CSV_NAME_LINE_NUM] = "line_num",     [CSV_NAME_EXTRASACTION] = "extrasaction",
        [CSV_NAME_WRITER] = "writer",         [CSV_NAME_WRITEROW] = "writerow",
        [CSV_NAME_WRITEROWS] = "writerows",   [CSV_NAME_DICT_TO_LIST] = "_dict_to_list",
        [CSV_NAME_RAISE] = "raise",
    };
    PyObject *tuple = PyTuple_New(CSV_NAME_COUNT);
    for (int i = 0; tuple != NULL && i < CSV_NAME_COUNT; i++) {
        PyObject *name = PyUnicode_InternFromString(names[i]);
        if (name == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, name);
    }
    return tuple;
}
