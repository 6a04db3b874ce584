/* setting_check.h — session settings with values that PostgreSQL knows and Basalt has not built. */
#pragma once
#include "base/setting.h"

/* setting_set_text for a session, with these checks. 22023: there is no such value; 0A000:
 * PostgreSQL has it, Basalt does not; 42704, 55P02. The setting keeps its value then. */
Status setting_set_checked(SettingSet *settings, const char *name, const char *text) CHECKED;
