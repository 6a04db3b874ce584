create table z (a int) interleaved sortkey (a);
create table z (a int check (a > 1));
create table z (a int primary key, primary key (a));
create table z (a int, primary key (b));
create table z (a int references nosuch);
create table z (a int references t (zz));
create table z (like nosuch);
create table z (a varchar collate case_insensitive)
