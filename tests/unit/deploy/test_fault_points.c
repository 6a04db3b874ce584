/* Suite over the whole program: the fault points linked into it are exactly the listed ones. */
#include "base/fault.h"
#include "tests/support/check_status.h"

#ifdef BASALT_FAULTS
START_TEST(linked_points_are_the_listed_ones)
{
    ck_assert_ok(fault_check_list());
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("fault_points");
#ifdef BASALT_FAULTS
    suite_add_case(suite, "list", linked_points_are_the_listed_ones);
#endif
    return suite_main(suite);
}
