delete from t using u, v where t.a = u.a;
delete t;
with x as (select 1) delete from t where a in (select * from x);
copy t (a, b) from 's3://x' iam_role 'arn' csv quote as '"' ignoreheader 1 gzip;
copy t from '/data/x' credentials as 'k' format as csv delimiter as ',' null as '\N' maxerror as 10 compupdate off;
copy t from stdin;
copy t from stdin with csv header delimiter as ',';
copy t from stdin (format csv, header, null '', force_null (a, b))
