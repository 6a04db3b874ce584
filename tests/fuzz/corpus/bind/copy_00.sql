copy t (c, a) from stdin csv;
copy t from '/data/x' delimiter ';' gzip compupdate off;
copy u (y, a) to stdout;
copy u to stdout with (format csv, header);
copy (select 1, a from t) to stdout;
copy v from stdin;
copy t (zz) from stdin
