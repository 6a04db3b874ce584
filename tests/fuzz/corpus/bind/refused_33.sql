truncate nosuch;
copy nosuch from stdin;
copy v from stdin;
copy t (zz) from stdin;
copy t (a, a) from stdin;
copy v to stdout;
copy t to '/tmp/x';
explain create table z (a int)
