/* number_format.c — takes number templates apart, and prints decimals by them. */
#include "compute/functions/number_format.h"

#include <string.h>
#include <strings.h>

#include "base/types/decimal.h"

typedef struct NumberWord {
    const char *text;
    NumberMark mark;
} NumberWord;

static const NumberWord number_words[] = {
    {"SG", NUMBER_SIGN_HERE}, {"MI", NUMBER_MINUS}, {"PL", NUMBER_PLUS},    {"S", NUMBER_SIGN},
    {"9", NUMBER_NINE},       {"0", NUMBER_ZERO},   {".", NUMBER_POINT},    {"D", NUMBER_POINT},
    {",", NUMBER_COMMA},      {"G", NUMBER_COMMA},  {"L", NUMBER_CURRENCY}, {"$", NUMBER_CURRENCY},
};
static const char *const words_not_built[] = {"EEEE", "RN", "TH", "V"};

static bool starts_with(const char *text, size_t bytes, const char *word)
{
    size_t length = strlen(word);
    return length <= bytes && strncasecmp(text, word, length) == 0;
}

static Status add_mark(NumberFormat *format, NumberMark mark, bool *has_point)
{
    switch (mark) {
    case NUMBER_NINE:
    case NUMBER_ZERO:
        if (*has_point) {
            format->fraction_digits++;
            break;
        }
        if (mark == NUMBER_ZERO && format->first_zero == UINT32_MAX) {
            format->first_zero = format->whole_digits;
        }
        format->whole_digits++;
        break;
    case NUMBER_POINT:
        if (*has_point) {
            return status_error(SQLSTATE_SYNTAX_ERROR, "multiple decimal points");
        }
        *has_point = true;
        break;
    case NUMBER_SIGN:
        format->is_sign_first = format->whole_digits + format->fraction_digits == 0 && !*has_point;
        format->has_sign = true;
        break;
    case NUMBER_SIGN_HERE:
    case NUMBER_MINUS:
    case NUMBER_PLUS:
        format->has_sign = true;
        break;
    default:
        break;
    }
    return STATUS_OK;
}

Status number_format_parse(const char *text, size_t bytes, Arena *arena, NumberFormat *out)
{
    NumberToken *tokens = ARENA_ARRAY(arena, NumberToken, bytes);
    NumberFormat format = {.tokens = tokens, .first_zero = UINT32_MAX, .is_filled = true};
    bool has_point = false, is_quoted = false;
    for (size_t i = 0; i < bytes;) {
        NumberToken *token = &tokens[format.token_count];
        if (text[i] == '"') {
            is_quoted = !is_quoted;
            i++;
            continue;
        }
        if (!is_quoted && starts_with(text + i, bytes - i, "FM")) {
            format.is_filled = false;
            i += 2;
            continue;
        }
        if (!is_quoted && starts_with(text + i, bytes - i, "PR")) {
            format.is_angled = true;
            i += 2;
            continue;
        }
        for (size_t w = 0; w < 4 && !is_quoted; w++) {
            if (starts_with(text + i, bytes - i, words_not_built[w])) {
                return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                                    "number format \"%s\" is not supported", words_not_built[w]);
            }
        }
        const NumberWord *word = NULL;
        for (size_t w = 0; w < sizeof number_words / sizeof *number_words && !is_quoted; w++) {
            if (starts_with(text + i, bytes - i, number_words[w].text)) {
                word = &number_words[w];
                break;
            }
        }
        format.token_count++;
        if (word == NULL) {
            *token = (NumberToken){.mark = NUMBER_LITERAL, .literal = text[i]};
            i++;
            continue;
        }
        token->mark = (uint8_t)word->mark;
        TRY(add_mark(&format, word->mark, &has_point));
        i += strlen(word->text);
    }
    if (format.fraction_digits > DECIMAL_PRECISION_MAX - 1) {
        return status_error(SQLSTATE_FEATURE_NOT_SUPPORTED,
                            "number formats of more than %d fraction digits",
                            DECIMAL_PRECISION_MAX - 1);
    }
    *out = format;
    return STATUS_OK;
}

size_t number_format_bytes_max(const NumberFormat *format)
{
    return format->token_count + 4;
}

typedef struct Printer {
    const NumberFormat *format;
    const char *whole, *fraction; /* digits, aligned to their positions */
    uint32_t whole_bytes;         /* digits in `whole`: it may be shorter than the positions */
    uint32_t first;               /* first whole position that is printed */
    uint32_t fraction_end;        /* fraction positions behind this one are dropped */
    bool is_negative, is_overflow, is_sign_done;
    char *cursor;
} Printer;

static void put(Printer *printer, char letter)
{
    *printer->cursor++ = letter;
}

/* The sign's own column, right before the first thing printed. */
static void put_sign(Printer *printer)
{
    const NumberFormat *format = printer->format;
    if (printer->is_sign_done) {
        return;
    }
    printer->is_sign_done = true;
    if (format->is_angled) {
        if (printer->is_negative || format->is_filled) {
            put(printer, printer->is_negative ? '<' : ' ');
        }
    } else if (format->has_sign && format->is_sign_first) {
        put(printer, printer->is_negative ? '-' : '+');
    } else if (!format->has_sign && (printer->is_negative || format->is_filled)) {
        put(printer, printer->is_negative ? '-' : ' ');
    }
}

static void put_whole(Printer *printer, uint32_t position)
{
    if (position < printer->first) {
        if (printer->format->is_filled) {
            put(printer, ' ');
        }
        return;
    }
    put_sign(printer);
    uint32_t missing = printer->format->whole_digits - printer->whole_bytes;
    put(printer, printer->is_overflow ? '#'
                 : position < missing ? '0'
                                      : printer->whole[position - missing]);
}

static void put_token(Printer *printer, const NumberToken *token, uint32_t *whole,
                      uint32_t *fraction, bool *is_behind_point)
{
    bool is_shown = *is_behind_point || *whole > printer->first;
    switch ((NumberMark)token->mark) {
    case NUMBER_LITERAL:
        put(printer, token->literal);
        return;
    case NUMBER_NINE:
    case NUMBER_ZERO:
        if (!*is_behind_point) {
            put_whole(printer, (*whole)++);
        } else {
            uint32_t position = (*fraction)++;
            if (position < printer->fraction_end) {
                put(printer, printer->is_overflow ? '#' : printer->fraction[position]);
            }
        }
        return;
    case NUMBER_POINT:
        put_sign(printer);
        *is_behind_point = true;
        put(printer, '.');
        return;
    case NUMBER_COMMA:
        if (is_shown) {
            put(printer, ',');
        } else if (printer->format->is_filled) {
            put(printer, ' ');
        }
        return;
    case NUMBER_SIGN:
        if (!printer->format->is_sign_first) {
            put(printer, printer->is_negative ? '-' : '+');
        }
        return;
    case NUMBER_SIGN_HERE:
        put(printer, printer->is_negative ? '-' : '+');
        return;
    case NUMBER_MINUS:
        if (printer->is_negative || printer->format->is_filled) {
            put(printer, printer->is_negative ? '-' : ' ');
        }
        return;
    case NUMBER_PLUS:
        if (!printer->is_negative || printer->format->is_filled) {
            put(printer, printer->is_negative ? ' ' : '+');
        }
        return;
    default:
        put(printer, '$');
        return;
    }
}

/* With FM trailing zeroes go, but those that a 0 of the template asks for. */
static uint32_t fraction_end(const NumberFormat *format, const char *fraction)
{
    uint32_t position = 0, end = 0;
    bool is_behind_point = false;
    for (uint32_t i = 0; i < format->token_count; i++) {
        uint8_t mark = format->tokens[i].mark;
        is_behind_point |= mark == NUMBER_POINT;
        if (is_behind_point && (mark == NUMBER_NINE || mark == NUMBER_ZERO)) {
            if (mark == NUMBER_ZERO || fraction[position] != '0' || format->is_filled) {
                end = position + 1;
            }
            position++;
        }
    }
    return end;
}

size_t number_format_print(const NumberFormat *format, Int128 value, bool is_overflow, char *target)
{
    char whole[DECIMAL_TEXT_BYTES], fraction[DECIMAL_TEXT_BYTES];
    Int128 unit = decimal_power_of_ten(format->fraction_digits);
    Int128 size = value < 0 ? -value : value;
    uint32_t whole_bytes = (uint32_t)decimal_print(size / unit, 0, whole);
    size_t fraction_bytes = decimal_print(size % unit + unit, 0, fraction); // 1 and the digits
    memmove(fraction, fraction + 1, fraction_bytes - 1);
    if (size < unit) {
        whole_bytes = 0; // a zero before the point is shown where the template insists
    }
    if (whole_bytes > format->whole_digits) {
        is_overflow = true;
    }
    Printer printer = {.format = format,
                       .whole = whole,
                       .fraction = fraction,
                       .is_negative = value < 0,
                       .is_overflow = is_overflow,
                       .cursor = target};
    printer.whole_bytes = is_overflow ? format->whole_digits : whole_bytes;
    printer.first = format->whole_digits - printer.whole_bytes;
    printer.first = format->first_zero < printer.first ? format->first_zero : printer.first;
    if (format->fraction_digits == 0 && printer.first == format->whole_digits &&
        format->whole_digits > 0) {
        printer.first--; // a bare zero
    }
    printer.fraction_end = is_overflow ? format->fraction_digits : fraction_end(format, fraction);
    uint32_t whole_position = 0, fraction_position = 0;
    bool is_behind_point = false;
    for (uint32_t i = 0; i < format->token_count; i++) {
        put_token(&printer, &format->tokens[i], &whole_position, &fraction_position,
                  &is_behind_point);
    }
    if (format->is_angled && (printer.is_negative || format->is_filled)) {
        put(&printer, printer.is_negative ? '>' : ' ');
    }
    return (size_t)(printer.cursor - target);
}
