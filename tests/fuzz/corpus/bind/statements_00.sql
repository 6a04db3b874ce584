select a, a, b as x, t.* from t join u using (a);
select * from t join u using (a);
select * from t natural join u;
select 1, 3000000000, 1.50, 0.05, 1e3, 'x', null, true, -5, -2147483648, 9223372036854775808;
select i + i, i + a, a + b, a + c, c + c, c * c, c / c, c % c, a / i, f + c, k + k, k + a from t;
select a + 1, c * 2, c / 3, 10 / 4, 10 / 4.0, 2 ^ 3, @ a, |/ a, - c from t;
select sum(i), sum(a), sum(b), sum(c), sum(f), sum(k), avg(i), avg(a), avg(b), avg(c), avg(f), count(*), count(e) from t;
select min(e), max(d), min(j), any_value(g), bool_and(g), stddev(a), variance(c), count(distinct e) from t
