select a + 1, rank() over (partition by grouping(a + 1) order by sum(b)) from t group by rollup (a + 1)
