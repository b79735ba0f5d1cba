/* What the readers of numbers and dates answer: see number.h. */
#ifndef GENERATORS_CORE_NUMBER_STATUS_H
#define GENERATORS_CORE_NUMBER_STATUS_H

typedef enum {
    NUMBER_OK = 0,
    NUMBER_UNSURE = 1,
} number_status;

#endif
