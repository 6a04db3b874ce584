select x from t;
select t.x from t;
select aa from t;
select u.a from t;
select t.a from t tt;
select a from nosuch;
select a from nosuch.t;
select a from other.t
