/* csv_zone: the time zone of a column of timestamps.
 *
 * A zone is a fixed offset, or it has a name, which the zoneinfo module of Python knows.  No
 * zone changes its clocks twice within an hour.  So the offset is asked for at both ends of an
 * hour, and is that of the whole hour if both are the same.  The hours met last are kept.
 */
#include "csv/write/column_zone.h"

#include <string.h>

#include "arrow/value.h"

#define HOURS 256
#define HOUR 3600

typedef struct {
    int64_t hour;
    int offset;
    bool known;
} zone_hour;

struct csv_zone {
    bool fixed;
    int offset;
    PyObject *module; /* owned, as is the zone; both are of Python's library */
    PyObject *tzinfo;
    zone_hour hours[HOURS];
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "UTC", or "+05:30" */
static bool
read_fixed(const char *name, int *offset)
{
    *offset = 0;
    if (strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0) {
        return true;
    }
    if (strlen(name) != 6 || (name[0] != '+' && name[0] != '-') || name[3] != ':' ||
        !is_digit(name[1]) || !is_digit(name[2]) || !is_digit(name[4]) || !is_digit(name[5])) {
        return false;
    }
    int hours = 10 * (name[1] - '0') + (name[2] - '0');
    int minutes = 10 * (name[4] - '0') + (name[5] - '0');
    *offset = (hours * 60 + minutes) * 60 * (name[0] == '-' ? -1 : 1);
    return hours < 24 && minutes < 60;
}

int
csv_zone_open(csv_zone **zone, const char *name)
{
    *zone = NULL;
    if (name[0] == '\0') {
        return 0;
    }
    csv_zone *self = PyMem_Calloc(1, sizeof *self);
    if (self == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *zone = self;
    self->fixed = read_fixed(name, &self->offset);
    if (self->fixed) {
        return 0;
    }
    self->module = arrow_value_module();
    if (self->module != NULL) {
        self->tzinfo = PyObject_CallMethod(self->module, "zone", "(s)", name);
    }
    return self->tzinfo == NULL ? -1 : 0;
}

void
csv_zone_free(csv_zone *self)
{
    if (self != NULL) {
        Py_XDECREF(self->module);
        Py_XDECREF(self->tzinfo);
        PyMem_Free(self);
    }
}

static int
ask_offset(csv_zone *self, int64_t seconds, int *offset)
{
    PyObject *answer =
        PyObject_CallMethod(self->module, "offset", "(OL)", self->tzinfo, (long long)seconds);
    if (answer == NULL) {
        return -1;
    }
    *offset = (int)PyLong_AsLong(answer);
    Py_DECREF(answer);
    return *offset == -1 && PyErr_Occurred() ? -1 : 0;
}

int
csv_zone_offset(csv_zone *self, int64_t seconds, int *offset)
{
    if (self->fixed) {
        *offset = self->offset;
        return 0;
    }
    int64_t hour = seconds / HOUR - (seconds % HOUR < 0);
    zone_hour *entry = &self->hours[(uint64_t)hour % HOURS];
    if (!entry->known || entry->hour != hour) {
        int first, last;
        if (ask_offset(self, hour * HOUR, &first) < 0 ||
            ask_offset(self, hour * HOUR + HOUR - 1, &last) < 0) {
            return -1;
        }
        if (first != last) {
            return ask_offset(self, seconds, offset);
        }
        *entry = (zone_hour){hour, first, true};
    }
    *offset = entry->offset;
    return 0;
}
