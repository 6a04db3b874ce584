insert into t (a, a) values (1, 2);
insert into t (a) values (1, 2);
insert into t (a, b) values (1);
insert into t values (1,2,3,4,5,6,7,8,9,10,11,12);
insert into t (a) values (true);
insert into t (a) values ('x');
insert into t (d) values (1);
insert into t (j) values ('abcdefg')
