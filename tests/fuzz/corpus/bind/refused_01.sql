select a from x.y.t;
select a from t, u;
select t.a from t, t;
select * from t join t on true;
select * from t a join u a on true;
select *;
select z.* from t;
select * exclude (zz) from t
