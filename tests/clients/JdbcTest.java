import java.io.StringReader;
import java.io.StringWriter;
import java.sql.*;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** pgjdbc: prepared statements (text and binary), types, paging, COPY, cancel, errors. */
public class JdbcTest {
    static int failures = 0;

    static void check(boolean condition, String what) {
        System.out.println((condition ? "ok " : "FAILED ") + what);
        failures += condition ? 0 : 1;
    }

    static void types(Connection c, String mode) throws SQLException {
        try (PreparedStatement s = c.prepareStatement("select * from types where i = ?")) {
            for (int round = 0; round < 7; round++) { // the fifth turns to a server-side statement
                s.setInt(1, 2147483647);
                try (ResultSet r = s.executeQuery()) {
                    check(r.next() && r.getBoolean("b") && r.getShort("s") == -32768
                          && r.getLong("l") == Long.MIN_VALUE
                          && r.getBigDecimal("d").toPlainString().equals("1234567890.12")
                          && r.getBigDecimal("w").toPlainString()
                              .equals("-1234567890123456789012345678.0123456789")
                          && r.getFloat("r") == 1.5f && r.getDouble("f") == -2.25e100
                          && r.getString("v").equals("h'ello")
                          && r.getDate("day").toString().equals("1999-12-31")
                          && r.getTimestamp("t").toString().equals("2000-01-01 12:34:56.789"),
                          mode + " types " + round);
                }
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        String url = "jdbc:postgresql://127.0.0.1:" + arguments[0] + "/dev?user=admin&password="
            + arguments[1];
        try (Connection c = DriverManager.getConnection(url)) {
            types(c, "default");
        }
        try (Connection c = DriverManager.getConnection(url + "&binaryTransfer=true&prepareThreshold=1")) {
            types(c, "binary");
            c.setAutoCommit(false);
            long total = 0, rows = 0;
            try (Statement s = c.createStatement()) {
                s.setFetchSize(1000);
                try (ResultSet r = s.executeQuery("select n, name from numbers")) {
                    while (r.next()) {
                        total += r.getInt(1);
                        rows++;
                    }
                }
            }
            check(rows == 1000000 && total == 499999500000L, "paging " + rows);
            c.commit();
            try (Statement s = c.createStatement()) {
                s.execute("create table jdbc_copy (a integer, b varchar(20))");
            }
            CopyManager copy = c.unwrap(PGConnection.class).getCopyAPI();
            long in = copy.copyIn("copy jdbc_copy from stdin with (format csv)",
                                  new StringReader("1,one\n2,two\n"));
            StringWriter out = new StringWriter();
            copy.copyOut("copy (select * from jdbc_copy order by a) to stdout with (format csv)", out);
            check(in == 2 && out.toString().equals("1,one\n2,two\n"), "copy " + out);
            c.commit();
            try (PreparedStatement s = c.prepareStatement("insert into jdbc_copy values (?, ?)")) {
                for (int i = 0; i < 100; i++) {
                    s.setInt(1, i);
                    s.setString(2, "batch " + i);
                    s.addBatch();
                }
                check(s.executeBatch().length == 100, "batch");
            }
            c.rollback();
            try (Statement s = c.createStatement();
                 ResultSet r = s.executeQuery("select count(*) from jdbc_copy")) {
                check(r.next() && r.getLong(1) == 2, "rollback");
            }
            c.commit();
            Statement slow = c.createStatement();
            Thread killer = new Thread(() -> {
                try {
                    Thread.sleep(300);
                    slow.cancel();
                } catch (Exception e) {
                    check(false, "cancel: " + e);
                }
            });
            killer.start();
            try {
                slow.executeQuery("select count(*) from numbers a, numbers b, numbers c "
                                  + "where a.n * 3 + b.n * 7 + c.n * 11 = -1");
                check(false, "cancel");
            } catch (SQLException e) {
                check("57014".equals(e.getSQLState()), "cancel " + e.getSQLState());
            }
            killer.join();
            c.rollback();
            try (Statement s = c.createStatement()) {
                s.executeQuery("select 1/0");
                check(false, "error");
            } catch (SQLException e) {
                check("22012".equals(e.getSQLState()), "error " + e.getSQLState());
            }
            c.rollback();
        }
        System.exit(failures == 0 ? 0 : 1);
    }
}
