/* The kernels: each finds the masks, and lists the positions, that a loop over the units does.
 */
#include "core/scan.h"

#include "../core/scan_model.h"
#include "fuzz.h"

enum { MOST_GROUPS = 6, BEFORE = 3, LONGEST = 4 * SCAN_GROUP * MOST_GROUPS };

static void
check_masks(const scan_kernel *kernel, const uint8_t *units, size_t groups, int width,
            const scan_set *set)
{
    scan_masks masks[MOST_GROUPS + 1], untouched;
    memset(masks, 0x5A, sizeof masks);
    untouched = masks[groups];
    scan_units(kernel, units, groups, width, set, masks);
    CHECK(memcmp(&untouched, &masks[groups], sizeof untouched) == 0);
    for (size_t i = 0; i < groups; i++) {
        const uint8_t *group = units + i * SCAN_GROUP * (size_t)width;
        const scan_masks expected = expected_masks(group, width, set);
        CHECK(memcmp(&masks[i], &expected, sizeof expected) == 0);
    }
}

/* The ends that some masks stand for, behind some that are listed already. */
static void
check_lists(const scan_kernel *kernel, const scan_ends *groups, size_t count, uint32_t at)
{
    const size_t room = BEFORE + count * SCAN_GROUP;
    scan_lists lists = {allocate(room * sizeof(uint32_t)), BEFORE,
                        allocate((room + SCAN_LISTED_AHEAD) * sizeof(uint32_t)), BEFORE};
    memset(lists.ends, 0x77, BEFORE * sizeof(uint32_t));
    memset(lists.lasts, 0x77, BEFORE * sizeof(uint32_t));
    kernel->list(groups, count, at, &lists);
    size_t ends = BEFORE, lasts = BEFORE;
    for (size_t i = 0; i < count * SCAN_GROUP; i++) {
        const uint64_t bit = UINT64_C(1) << i % SCAN_GROUP;
        if (groups[i / SCAN_GROUP].fields & bit) {
            CHECK(lists.ends[ends++] == at + i);
        }
        if (groups[i / SCAN_GROUP].records & bit) {
            CHECK(lists.lasts[lasts++] == ends);
        }
    }
    CHECK(lists.ends_length == ends && lists.lasts_length == lasts);
    for (size_t i = 0; i < BEFORE; i++) {
        CHECK(lists.ends[i] == 0x77777777 && lists.lasts[i] == 0x77777777);
    }
    free(lists.ends);
    free(lists.lasts);
}

static uint32_t
character_of(uint8_t byte, int width)
{
    static const uint32_t wide[] = {SCAN_ABSENT, 0x12C, 0x222C, 0xFF2C, 0x1002C, 0x10FFFF};
    return byte < 0xF0 ? byte : width > 1 ? wide[byte % 6] : SCAN_ABSENT;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static room memory;
    input in = {data, size};
    const scan_kernel *kernels[SCAN_KERNELS];
    const int width = 1 << next_byte(&in) % 3;
    const uint32_t at = next_byte(&in);
    const scan_set set = {character_of(next_byte(&in), width),
                          character_of(next_byte(&in), width),
                          character_of(next_byte(&in), width)};
    const size_t groups = in.count / (SCAN_GROUP * (size_t)width);
    if (in.count > LONGEST || groups > MOST_GROUPS) {
        return 0;
    }
    /* They end where the room does, at any address. */
    uint8_t *units = room_open(&memory, LONGEST + 64, groups * SCAN_GROUP * (size_t)width);
    memcpy(units, in.bytes, groups * SCAN_GROUP * (size_t)width);
    for (size_t i = 0; width == 4 && i < groups * SCAN_GROUP; i++) {
        const uint32_t point = model_unit(units, i, 4) % 0x110000;
        memcpy(units + 4 * i, &point, sizeof point);
    }
    scan_ends ends[MOST_GROUPS];
    for (size_t i = 0; i < groups; i++) {
        const scan_masks m =
            expected_masks(units + i * SCAN_GROUP * (size_t)width, width, &set);
        ends[i].fields = m.delimiter | m.end | m.quote;
        ends[i].records = m.end & (i % 2 == 0 ? UINT64_MAX : ~m.carriage);
    }
    scan_kernels(kernels);
    for (int k = 0; kernels[k] != NULL; k++) {
        check_masks(kernels[k], units, groups, width, &set);
        check_lists(kernels[k], ends, groups, at);
    }
    return 0;
}
