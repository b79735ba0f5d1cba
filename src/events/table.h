#ifndef GENERATORS_EVENTS_TABLE_H
#define GENERATORS_EVENTS_TABLE_H

#include "state.h"

extern PyType_Spec event_topic_spec;

#endif
