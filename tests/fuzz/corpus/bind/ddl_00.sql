create table other.z (k bigint not null encode az64, s varchar default 'x' || 'y', d decimal(9,2) sortkey, f real, b boolean, c char(3), t timestamp, i interval, n smallint, e double precision) diststyle key distkey (k);
create table z (p int, like other.w including defaults, q date);
create table z (like lineitem);
create temp table z (p, q) distkey (p) as select a, e || d, 'lit' from t;
create table if not exists t as select * from u;
create table z (a int, a int);
create table x.y.z (a int)
