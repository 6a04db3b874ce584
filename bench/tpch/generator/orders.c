/*
 * orders.c — orders and their lines (lineitem).
 *
 * An order's status and price follow from its lines, and a line's dates from its order. Both tables
 * therefore ask the same two functions, order_draw and line_draw, and neither reads the other.
 */
#include "bench/tpch/generator/table.h"
#include "bench/tpch/generator/word_list.h"

enum {
    ORDER_CUSTOMER,
    ORDER_DATE,
    ORDER_PRIORITY,
    ORDER_CLERK,
    ORDER_COMMENT,
    ORDER_LINES,
};

enum {
    LINE_PART,
    LINE_SUPPLIER,
    LINE_QUANTITY,
    LINE_DISCOUNT,
    LINE_TAX,
    LINE_RETURN_FLAG,
    LINE_SHIP_DATE,
    LINE_COMMIT_DATE,
    LINE_RECEIPT_DATE,
    LINE_INSTRUCTION,
    LINE_MODE,
    LINE_COMMENT,
};

typedef struct Order {
    RandomRow row;
    uint64_t key;
    uint32_t day;           /* o_orderdate, a day of the calendar */
    uint32_t line_count;    /* 1 .. 7 */
} Order;

/* What the order needs to know of a line. */
typedef struct Line {
    RandomRow row;
    uint64_t part_key;
    uint32_t quantity;
    uint32_t discount, tax;      /* per cent */
    uint32_t ship_day;
    int64_t price_cents;         /* l_extendedprice */
} Line;

static Order order_draw(const DataSet *data_set, uint64_t unit);
static Line line_draw(const DataSet *data_set, const Order *order, uint64_t unit, uint32_t line);
static uint64_t customer_with_orders(const DataSet *data_set, RandomRow row);
static char *format_line(const DataSet *data_set, const Order *order, const Line *line,
                         uint32_t line_number, char *cursor);

static uint64_t order_count(const DataSet *data_set)
{
    return data_set->order_count;
}

static char *format_order(const DataSet *data_set, uint64_t unit, char *cursor)
{
    Order order = order_draw(data_set, unit);
    uint32_t open_lines = 0;
    uint64_t total = 0;    // in 1/10,000 of a cent, to round once and not per line
    for (uint32_t i = 0; i < order.line_count; i++) {
        Line line = line_draw(data_set, &order, unit, i);
        open_lines += line.ship_day > CALENDAR_CURRENT_DAY;
        total += (uint64_t)line.price_cents * (100 - line.discount) * (100 + line.tax);
    }
    char status = open_lines == 0 ? 'F' : open_lines == order.line_count ? 'O' : 'P';

    cursor = key_format(cursor, data_set->key_style, KEY_ORDER, order.key);
    *cursor++ = '|';
    cursor = key_format(cursor, data_set->key_style, KEY_CUSTOMER,
                        customer_with_orders(data_set, order.row));
    *cursor++ = '|';
    *cursor++ = status;
    *cursor++ = '|';
    cursor = format_hundredths(cursor, (int64_t)((total + 5000) / 10000));
    *cursor++ = '|';
    cursor = calendar_format(cursor, &data_set->calendar, order.day);
    *cursor++ = '|';
    cursor = word_list_format(cursor, &word_list_priorities,
                              random_below(order.row, ORDER_PRIORITY, word_list_priorities.count));
    *cursor++ = '|';
    cursor = format_bytes(cursor, "Clerk#", 6);
    uint64_t clerk = 1 + random_below(order.row, ORDER_CLERK, data_set->clerk_count);
    cursor = format_zero_padded(cursor, clerk, 9);
    *cursor++ = '|';
    *cursor++ = '0';
    *cursor++ = '|';
    cursor = text_pool_format(cursor, &data_set->text, order.row, ORDER_COMMENT, 19, 78);
    *cursor++ = '|';
    return format_row_end(cursor, data_set);
}

const Table orders_table = {
    .name = "orders",
    .unit_bytes_max = 512,
    .chunk_units = 8000,
    .unit_count = order_count,
    .format_unit = format_order,
};

static char *format_order_lines(const DataSet *data_set, uint64_t unit, char *cursor)
{
    Order order = order_draw(data_set, unit);
    for (uint32_t i = 0; i < order.line_count; i++) {
        Line line = line_draw(data_set, &order, unit, i);
        cursor = format_line(data_set, &order, &line, i + 1, cursor);
    }
    return cursor;
}

const Table lineitem_table = {
    .name = "lineitem",
    .unit_bytes_max = ORDER_LINES_MAX * 384 + FORMAT_SLACK_BYTES,
    .chunk_units = 2000,
    .unit_count = order_count,
    .format_unit = format_order_lines,
};

static char *format_line(const DataSet *data_set, const Order *order, const Line *line,
                         uint32_t line_number, char *cursor)
{
    RandomRow row = line->row;
    uint64_t supplier_index = random_below(row, LINE_SUPPLIER, PARTSUPP_PER_PART);
    uint32_t commit_day = order->day + (uint32_t)random_between(row, LINE_COMMIT_DATE, 30, 90);
    uint32_t receipt_day =
        line->ship_day + (uint32_t)random_between(row, LINE_RECEIPT_DATE, 1, 30);
    char return_flag = receipt_day > CALENDAR_CURRENT_DAY             ? 'N'
                       : random_below(row, LINE_RETURN_FLAG, 2) == 0 ? 'R'
                                                                      : 'A';

    cursor = key_format(cursor, data_set->key_style, KEY_ORDER, order->key);
    *cursor++ = '|';
    cursor = key_format(cursor, data_set->key_style, KEY_PART, line->part_key);
    *cursor++ = '|';
    cursor = key_format(cursor, data_set->key_style, KEY_SUPPLIER,
                        data_set_part_supplier(data_set, line->part_key, supplier_index));
    *cursor++ = '|';
    *cursor++ = (char)('0' + line_number);
    *cursor++ = '|';
    cursor = format_unsigned(cursor, line->quantity);
    *cursor++ = '|';
    cursor = format_hundredths(cursor, line->price_cents);
    *cursor++ = '|';
    cursor = format_hundredths(cursor, line->discount);
    *cursor++ = '|';
    cursor = format_hundredths(cursor, line->tax);
    *cursor++ = '|';
    *cursor++ = return_flag;
    *cursor++ = '|';
    *cursor++ = line->ship_day > CALENDAR_CURRENT_DAY ? 'O' : 'F';
    *cursor++ = '|';
    cursor = calendar_format(cursor, &data_set->calendar, line->ship_day);
    *cursor++ = '|';
    cursor = calendar_format(cursor, &data_set->calendar, commit_day);
    *cursor++ = '|';
    cursor = calendar_format(cursor, &data_set->calendar, receipt_day);
    *cursor++ = '|';
    cursor = word_list_format(cursor, &word_list_instructions,
                              random_below(row, LINE_INSTRUCTION, word_list_instructions.count));
    *cursor++ = '|';
    cursor = word_list_format(cursor, &word_list_modes,
                              random_below(row, LINE_MODE, word_list_modes.count));
    *cursor++ = '|';
    cursor = text_pool_format(cursor, &data_set->text, row, LINE_COMMENT, 10, 43);
    *cursor++ = '|';
    return format_row_end(cursor, data_set);
}

/* Order keys are sparse: of each 32 only the first 8 are used: 1 … 7, 32 … 39, 64 … 71, … */
static Order order_draw(const DataSet *data_set, uint64_t unit)
{
    RandomRow row = random_row(data_set->seed, RANDOM_ORDERS, unit);
    uint64_t ordinal = unit + 1;
    return (Order){
        .row = row,
        .key = (ordinal / 8) * 32 + ordinal % 8,
        .day = (uint32_t)random_below(row, ORDER_DATE, CALENDAR_LAST_ORDER_DAY + 1),
        .line_count = (uint32_t)random_between(row, ORDER_LINES, 1, ORDER_LINES_MAX),
    };
}

static Line line_draw(const DataSet *data_set, const Order *order, uint64_t unit, uint32_t line)
{
    RandomRow row =
        random_row(data_set->seed, RANDOM_LINEITEM, unit * (ORDER_LINES_MAX + 1) + line);
    uint64_t part_key = 1 + random_below(row, LINE_PART, data_set->part_count);
    uint32_t quantity = (uint32_t)random_between(row, LINE_QUANTITY, 1, 50);
    return (Line){
        .row = row,
        .part_key = part_key,
        .quantity = quantity,
        .discount = (uint32_t)random_below(row, LINE_DISCOUNT, 11),
        .tax = (uint32_t)random_below(row, LINE_TAX, 9),
        .ship_day = order->day + (uint32_t)random_between(row, LINE_SHIP_DATE, 1, 121),
        .price_cents = quantity * part_retail_price_cents(part_key),
    };
}

/* A customer whose key is no multiple of 3; the others never order. Of 7: 1, 2, 4, 5 or 7. */
static uint64_t customer_with_orders(const DataSet *data_set, RandomRow row)
{
    uint64_t buyers = data_set->customer_count - data_set->customer_count / 3;
    uint64_t buyer = random_below(row, ORDER_CUSTOMER, buyers);
    return buyer / 2 * 3 + buyer % 2 + 1;
}
