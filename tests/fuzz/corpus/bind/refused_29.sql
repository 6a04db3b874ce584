create table z (a int sortkey, b int sortkey);
create table z (a int distkey) diststyle even;
create table z (a int) diststyle key;
create table z (a int) diststyle foo;
create table z (a int) distkey (b);
create table z (a int) sortkey (b);
create table z (a int) sortkey (a, a);
create table z (a int sortkey) sortkey (a)
