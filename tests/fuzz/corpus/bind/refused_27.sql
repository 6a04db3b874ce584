delete from t;
create table t (a int);
create table z (a int, a int);
create table z (a nosuch);
create table nosuch.z (a int);
create temp table other.z (a int);
create table z (a int default 'x');
create table z (a int default b)
