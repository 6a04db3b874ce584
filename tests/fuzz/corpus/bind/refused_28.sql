create table z (a int default true);
create table z (a int default sum(1));
create table z (a int null not null);
create table z (a int identity(1,1));
create table z (a int encode foo);
create table z (a int encode text255);
create table z (a varchar encode az64);
create table z (a int distkey, b int distkey)
