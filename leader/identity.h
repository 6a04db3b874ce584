/* identity.h — which numbers of IDENTITY columns are free, over all sessions. */
#pragma once
#include "planner/catalog_view.h"

typedef struct IdentityNumbers IdentityNumbers;
IdentityNumbers *identity_numbers_create(void); /* null: no memory */
void identity_numbers_destroy(IdentityNumbers *numbers);
