/* Suite of base/machine.c: what can be said of any machine. */
#include <unistd.h>

#include "base/machine.h"
#include "tests/support/check_status.h"

START_TEST(tells_cores_and_memory)
{
    ck_assert_uint_ge(machine_core_count(), 1);
    ck_assert_uint_le(machine_core_count(), (uint32_t)sysconf(_SC_NPROCESSORS_CONF));
    uint64_t physical = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    ck_assert_uint_ge(machine_memory_bytes(), UINT64_C(64) << 20);
    ck_assert_uint_le(machine_memory_bytes(), physical);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base.machine");
    suite_add_case(suite, "limits", tells_cores_and_memory);
    return suite_main(suite);
}
