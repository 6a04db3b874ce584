a + 1 > any (array[1, 2]) and b is distinct from coalesce(c, 'x') or exists (select 1)
