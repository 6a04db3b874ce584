"""What EXPLAIN ANALYZE says of a query."""

import re


def blocks(connection, sql):
    """Blocks that the query's one scan reads, and all there are of its columns."""
    text = "\n".join(r[0] for r in connection.rows(f"explain analyze {sql}"))
    read, skipped = (int(re.search(rf"blocks_{what}=(\d+)", text)[1])
                     for what in ("read", "skipped"))
    return read, read + skipped
