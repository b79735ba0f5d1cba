/* Every kernel that this machine can run gives the masks that a loop over the
 * units gives, for units of each width, at any address, whatever is looked
 * for, and lists the positions that such a loop finds.  Prints the kernels' names. */
#include "core/scan.h"

#include <stdbool.h>

#include "check.h"
#include "scan_model.h"

#define GROUPS 5

static const int widths[] = {1, 2, 4};

/* Every group that is scanned at once, from every place in a word on. */
static void
compare(const scan_kernel *kernel, const uint8_t *units, int width, const scan_set *set)
{
    size_t size = GROUPS * SCAN_GROUP * (size_t)width;
    scan_masks masks[GROUPS + 1];
    memset(masks, 0x5A, sizeof masks);
    scan_masks untouched = masks[GROUPS];
    scan_units(kernel, units, GROUPS, width, set, masks);
    CHECK(memcmp(&untouched, &masks[GROUPS], sizeof untouched) == 0,
          "%s wrote a mask too many", kernel->name);
    for (int i = 0; i < GROUPS; i++) {
        const uint8_t *group = units + size / GROUPS * (size_t)i;
        scan_masks m = expected_masks(group, width, set);
#define SAME(MASK)                                                                \
    CHECK(masks[i].MASK == m.MASK,                                                \
          "%s, units of %d bytes, group %d, looking for %x %x %x: " #MASK         \
          " is %016llx, not %016llx",                                             \
          kernel->name, width, i, (unsigned)set->delimiter, (unsigned)set->quote, \
          (unsigned)set->escape, (unsigned long long)masks[i].MASK,               \
          (unsigned long long)m.MASK)
        SAME(delimiter);
        SAME(quote);
        SAME(inside);
        SAME(escape);
        SAME(end);
        SAME(carriage);
        SAME(high);
    }
}

static uint32_t
random_character(int width)
{
    static const uint32_t usual[] = {',', '"', '\\', '\n', '\r', 'a', '\0', ' ', 0x7F, 0x80};
    static const uint32_t odd[] = {0xFF,   0x100,   0x122,   0x12C,   0x222C,   0xD800,
                                   0xFFFF, 0x10000, 0x1002C, 0x20022, 0x10FFFF, 0x10000A};
    uint32_t c;
    switch (random_below(8)) {
    case 0:
        c = (uint32_t)random_bits(); /* cut to what units hold */
        break;
    case 1:
        c = odd[random_below(12)];
        break;
    default:
        c = usual[random_below(10)];
    }
    return width == 1 ? c & 0xFF : width == 2 ? c & 0xFFFF : c % 0x110000;
}

/* A character to look for; at times one that units of this width cannot be. */
static uint32_t
random_special(void)
{
    static const uint32_t special[] = {',',      '"',         '\\',        ';',     '\t',
                                       '\0',     0x7F,        0x80,        0xFF,    0x12C,
                                       0x222C,   0xFFFF,      0xFF2C,      0x1002C, 0x20022,
                                       0x10FFFF, SCAN_ABSENT, SCAN_ABSENT, '\'',    ' '};
    return special[random_below(sizeof special / sizeof special[0])];
}

static void
test_random(const scan_kernel *kernel)
{
    for (int w = 0; w < 3; w++) {
        int width = widths[w];
        size_t size = GROUPS * SCAN_GROUP * (size_t)width;
        for (int round = 0; round < 3000; round++) {
            size_t shift = random_below(64);
            uint8_t *block = allocate(size + shift);
            scan_set set;
            set.delimiter = random_special();
            set.quote = random_special();
            set.escape = random_special();
            for (size_t i = 0; i < GROUPS * SCAN_GROUP; i++) {
                put_unit(block + shift, i, width, random_character(width));
            }
            compare(kernel, block + shift, width, &set);
            free(block);
        }
    }
}

/* One special unit at each of 64 places among units that are just not it. */
static void
test_each_place(const scan_kernel *kernel)
{
    static const scan_set sets[] = {
        {',', '"', '\\'},   {',', '"', SCAN_ABSENT}, {';', SCAN_ABSENT, SCAN_ABSENT},
        {0x80, 0xFF, 0x7F}, {0x12C, 0x222, 0x5C5C},  {0x1002C, 0x20022, 0x10FFFF}};
    for (int w = 0; w < 3; w++) {
        int width = widths[w];
        uint8_t *block = allocate(GROUPS * SCAN_GROUP * (size_t)width);
        for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
            const uint32_t looked_for[] = {
                sets[s].delimiter, sets[s].quote, sets[s].escape, '\n', '\r', 0x80};
            for (int k = 0; k < 6; k++) {
                if (looked_for[k] == SCAN_ABSENT) {
                    continue;
                }
                for (size_t place = 0; place < SCAN_GROUP; place++) {
                    for (size_t i = 0; i < GROUPS * SCAN_GROUP; i++) {
                        uint32_t near = looked_for[k] ^ (UINT32_C(1) << random_below(20));
                        bool hit = i % SCAN_GROUP == place;
                        put_unit(block, i, width, hit ? looked_for[k] : near);
                    }
                    compare(kernel, block, width, &sets[s]);
                }
            }
        }
        free(block);
    }
}

/* Scanning no group writes no mask and reads nothing. */
static void
test_nothing(const scan_kernel *kernel)
{
    scan_set set = {',', '"', '\\'};
    scan_masks mask, before;
    memset(&before, 0x5A, sizeof before);
    mask = before;
    for (int w = 0; w < 3; w++) {
        void *nothing = allocate(0);
        scan_units(kernel, nothing, 0, widths[w], &set, &mask);
        CHECK(memcmp(&mask, &before, sizeof mask) == 0, "%s wrote a mask", kernel->name);
        free(nothing);
    }
}

/* A mask with about one bit in `sparse`; 0 is none. */
static uint64_t
random_mask(unsigned sparse)
{
    uint64_t mask = 0;
    for (int i = 0; i < SCAN_GROUP; i++) {
        mask |= bit_if(sparse != 0 && random_below(sparse) == 0, i);
    }
    return mask;
}

/* List groups behind what is listed already, in arrays that have no more room than they must.
 */
static void
compare_lists(const scan_kernel *kernel, const scan_ends *groups, size_t count, uint32_t at)
{
    enum { BEFORE = 3 };
    const size_t room = BEFORE + count * SCAN_GROUP;
    scan_lists lists = {allocate(room * sizeof(uint32_t)), BEFORE,
                        allocate((room + SCAN_LISTED_AHEAD) * sizeof(uint32_t)), BEFORE};
    for (uint32_t i = 0; i < BEFORE; i++) {
        lists.ends[i] = lists.lasts[i] = 7 + i;
    }
    kernel->list(groups, count, at, &lists);
    size_t ends = BEFORE, lasts = BEFORE;
    for (size_t i = 0; i < count * SCAN_GROUP; i++) {
        const scan_ends *g = &groups[i / SCAN_GROUP];
        if (g->fields >> i % SCAN_GROUP & 1) {
            CHECK(lists.ends[ends] == at + i, "%s, end %zu is %u, not %zu", kernel->name, ends,
                  (unsigned)lists.ends[ends], (size_t)(at + i));
            ends++;
        }
        if (g->records >> i % SCAN_GROUP & 1) {
            CHECK(lists.lasts[lasts] == ends, "%s, record %zu goes up to %u, not %zu",
                  kernel->name, lasts, (unsigned)lists.lasts[lasts], ends);
            lasts++;
        }
    }
    CHECK(lists.ends_length == ends, "%s listed %zu ends, not %zu", kernel->name,
          lists.ends_length, ends);
    CHECK(lists.lasts_length == lasts, "%s listed %zu records, not %zu", kernel->name,
          lists.lasts_length, lasts);
    for (uint32_t i = 0; i < BEFORE; i++) {
        CHECK(lists.ends[i] == 7 + i && lists.lasts[i] == 7 + i, "%s changed what was listed",
              kernel->name);
    }
    free(lists.ends);
    free(lists.lasts);
}

static void
test_lists(const scan_kernel *kernel)
{
    static const unsigned sparse[] = {0, 1, 2, 4, 8, 20, 64};
    for (int round = 0; round < 3000; round++) {
        scan_ends groups[GROUPS];
        unsigned fields = sparse[random_below(7)], records = sparse[random_below(7)];
        for (int i = 0; i < GROUPS; i++) {
            groups[i].fields = random_mask(fields);
            groups[i].records = groups[i].fields & random_mask(records);
        }
        compare_lists(kernel, groups, 1 + random_below(GROUPS),
                      (uint32_t)random_below(1000) * SCAN_GROUP);
    }
    for (int i = 0; i < SCAN_GROUP; i++) { /* one bit, and all but one */
        uint64_t bit = bit_if(1, i);
        compare_lists(kernel, &(scan_ends){bit, bit}, 1, UINT32_MAX - 63);
        compare_lists(kernel, &(scan_ends){~bit, ~bit}, 1, 1);
    }
}

static void
test_choice(const scan_kernel **kernels)
{
    CHECK(kernels[0] != NULL, "no kernel at all");
    CHECK(scan_choose(NULL) == kernels[0], "NULL does not choose the best");
    CHECK(scan_choose("no such kernel") == NULL, "a name that no kernel has chose one");
    CHECK(scan_choose("scalar") != NULL, "scalar is missing");
    for (int i = 0; kernels[i] != NULL; i++) {
        CHECK(i + 1 < SCAN_KERNELS, "the list has no room for its end");
        CHECK(scan_choose(kernels[i]->name) == kernels[i], "%s chose another",
              kernels[i]->name);
    }
}

int
main(void)
{
    const scan_kernel *kernels[SCAN_KERNELS];
    scan_kernels(kernels);
    test_choice(kernels);
    for (int i = 0; kernels[i] != NULL; i++) {
        test_nothing(kernels[i]);
        test_random(kernels[i]);
        test_each_place(kernels[i]);
        test_lists(kernels[i]);
        printf("%s%s", i > 0 ? " " : "", kernels[i]->name);
    }
    puts("");
    return 0;
}
