analyze;
analyze verbose t (a, b);
analyze t predicate columns;
vacuum;
vacuum full s.t to 99 percent boost;
vacuum sort only t;
vacuum reindex t;
create user u with password 'x' createdb valid until '2030-01-01' connection limit 5
