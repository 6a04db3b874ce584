/* test_text_functions.c — functions of texts, with characters of one to four bytes. */
#include "tests/unit/compute/expression/expr_fixture.h"

#define COUNT(cases) (sizeof(cases) / sizeof *(cases))
#define F(name) FUNCTION_##name

static const CallCase cut_cases[] = {
    {F(LENGTH), "i4", "5", {"v20:hello"}},
    {F(LENGTH), "i4", "0", {"v20:"}},
    {F(LENGTH), "i4", "7", {"v20:hello  "}},
    {F(LENGTH), "i4", "4", {"v20:däüö"}},
    {F(LENGTH), "i4", "3", {"v20:a€😀"}},
    {F(OCTET_LENGTH), "i4", "8", {"v20:a€😀"}},
    {F(SUBSTRING), "t", "ell", {"v20:hello", "i4:2", "i4:3"}},
    {F(SUBSTRING), "t", "ello", {"v20:hello", "i4:2"}},
    {F(SUBSTRING), "t", "he", {"v20:hello", "i4:-1", "i4:4"}},
    {F(SUBSTRING), "t", "", {"v20:hello", "i4:-5", "i4:4"}},
    {F(SUBSTRING), "t", "", {"v20:hello", "i4:9", "i4:4"}},
    {F(SUBSTRING), "t", "", {"v20:hello", "i4:2", "i4:0"}},
    {F(SUBSTRING), "t", "hello", {"v20:hello", "i4:-5"}},
    {F(SUBSTRING), "t", "ello", {"v20:hello", "i4:2", "i4:2147483647"}},
    {F(SUBSTRING), "t", "!22011", {"v20:hello", "i4:2", "i4:-1"}},
    {F(SUBSTRING), "t", "üö", {"v20:däüö", "i4:3", "i4:2"}},
    {F(SUBSTRING),
     "t",
     "tuvwxyz and mor",
     {"v60:abcdefghijklmnopqrstuvwxyz and more", "i4:20", "i4:15"}},
    {F(LEFT), "t", "he", {"v20:hello", "i4:2"}},
    {F(LEFT), "t", "hel", {"v20:hello", "i4:-2"}},
    {F(LEFT), "t", "", {"v20:hello", "i4:-7"}},
    {F(LEFT), "t", "hello", {"v20:hello", "i4:70"}},
    {F(LEFT), "t", "dä", {"v20:däüö", "i4:2"}},
    {F(RIGHT), "t", "lo", {"v20:hello", "i4:2"}},
    {F(RIGHT), "t", "llo", {"v20:hello", "i4:-2"}},
    {F(RIGHT), "t", "", {"v20:hello", "i4:-7"}},
    {F(RIGHT), "t", "hello", {"v20:hello", "i4:70"}},
    {F(RIGHT), "t", "üö", {"v20:däüö", "i4:2"}},
    {F(BTRIM), "t", "a b", {"v20:  a b  "}},
    {F(BTRIM), "t", "b", {"v20:xyaxbyx", "v20:xya"}},
    {F(LTRIM), "t", "a  ", {"v20:  a  "}},
    {F(RTRIM), "t", "  a", {"v20:  a  "}},
    {F(RTRIM), "t", "hell", {"v20:hellööoö", "v20:öo"}},
    {F(BTRIM), "t", "", {"v20:    "}},
    {F(BTRIM), "t", " a ", {"v20: a ", "v20:"}},
    {F(STRPOS), "i4", "3", {"v20:hello", "v20:l"}},
    {F(STRPOS), "i4", "0", {"v20:hello", "v20:z"}},
    {F(STRPOS), "i4", "1", {"v20:hello", "v20:"}},
    {F(STRPOS), "i4", "4", {"v20:däüö", "v20:ö"}},
    {F(SPLIT_PART), "t", "b", {"v20:a,b,c", "v20:,", "i4:2"}},
    {F(SPLIT_PART), "t", "c", {"v20:a,b,c", "v20:,", "i4:3"}},
    {F(SPLIT_PART), "t", "", {"v20:a,b,c", "v20:,", "i4:4"}},
    {F(SPLIT_PART), "t", "a,b,c", {"v20:a,b,c", "v20:", "i4:1"}},
    {F(SPLIT_PART), "t", "", {"v20:a,b,c", "v20:", "i4:2"}},
    {F(SPLIT_PART), "t", "!22023", {"v20:a,b,c", "v20:,", "i4:0"}},
    {F(SPLIT_PART), "t", "two", {"v20:one--two--three", "v20:--", "i4:2"}},
    {F(ASCII), "i4", "97", {"v20:abc"}},
    {F(ASCII), "i4", "0", {"v20:"}},
    {F(ASCII), "i4", "8364", {"v20:€"}},
    {F(ASCII), "i4", "128512", {"v20:😀"}},
};

static const CallCase edit_cases[] = {
    {F(CONCAT), "t", "foobar", {"v20:foo", "v20:bar"}},
    {F(CONCAT), "t", "foo12", {"v20:foo", "i4:12"}},
    {F(CONCAT), "t", "2.50x", {"d12.2:2.50", "v20:x"}},
    {F(CONCAT),
     "t",
     "a long text of its own and more",
     {"v40:a long text of its own", "v20: and more"}},
    {F(UPPER), "t", "HELLO 1", {"v20:hello 1"}},
    {F(UPPER), "t", "DÄÜÖÉ", {"v20:däüöé"}},
    {F(UPPER), "t", "ΑΒΓΣΣ", {"v20:αβγσς"}},
    {F(UPPER), "t", "ПРИВЕТ", {"v20:привет"}},
    {F(UPPER), "t", "ŁÓDŹ", {"v20:łódź"}},
    {F(LOWER), "t", "hello 1", {"v20:HeLLo 1"}},
    {F(LOWER), "t", "däüöé", {"v20:DÄÜÖÉ"}},
    {F(LOWER), "t", "łódź ёж", {"v20:ŁÓDŹ ЁЖ"}},
    {F(LOWER), "t", "ß", {"v20:ß"}},
    {F(INITCAP), "t", "Hello World-Wide 2nd", {"v30:hELLO wORLD-wIDE 2ND"}},
    {F(INITCAP), "t", "Élan Über", {"v30:éLAN ÜBER"}},
    {F(REPLACE), "t", "hexxo", {"v20:hello", "v20:l", "v20:x"}},
    {F(REPLACE), "t", "heo", {"v20:hello", "v20:l", "v20:"}},
    {F(REPLACE), "t", "hello", {"v20:hello", "v20:", "v20:x"}},
    {F(REPLACE), "t", "hello", {"v20:hello", "v20:z", "v20:x"}},
    {F(REPLACE), "t", "a--b--c", {"v20:a,b,c", "v20:,", "v20:--"}},
    {F(TRANSLATE), "t", "xcx", {"v20:abcba", "v20:ab", "v20:x"}},
    {F(TRANSLATE), "t", "a2x5", {"v20:12345", "v20:143", "v20:ax"}},
    {F(TRANSLATE), "t", "ö€", {"v20:ab", "v20:ab", "v20:ö€"}},
    {F(REVERSE), "t", "olleh", {"v20:hello"}},
    {F(REVERSE), "t", "😀€ä", {"v20:ä€😀"}},
    {F(REPEAT), "t", "ababab", {"v20:ab", "i4:3"}},
    {F(REPEAT), "t", "", {"v20:ab", "i4:-3"}},
    {F(REPEAT), "t", "!22001", {"v20:ab", "i4:2000000000"}},
    {F(LPAD), "t", "  hi", {"v20:hi", "i4:4"}},
    {F(LPAD), "t", "xyxhi", {"v20:hi", "i4:5", "v20:xy"}},
    {F(LPAD), "t", "he", {"v20:hello", "i4:2"}},
    {F(LPAD), "t", "", {"v20:hello", "i4:-2"}},
    {F(LPAD), "t", "äöähi", {"v20:hi", "i4:5", "v20:äö"}},
    {F(LPAD), "t", "hi", {"v20:hi", "i4:5", "v20:"}},
    {F(LPAD), "t", "!22001", {"v20:hi", "i4:70000"}},
    {F(RPAD), "t", "hi  ", {"v20:hi", "i4:4"}},
    {F(RPAD), "t", "hixyx", {"v20:hi", "i4:5", "v20:xy"}},
    {F(RPAD), "t", "hä", {"v20:hällo", "i4:2"}},
    {F(CHR), "t", "A", {"i4:65"}},
    {F(CHR), "t", "€", {"i4:8364"}},
    {F(CHR), "t", "😀", {"i4:128512"}},
    {F(CHR), "t", "!54000", {"i4:0"}},
    {F(CHR), "t", "!54000", {"i4:1114112"}},
    {F(CHR), "t", "!54000", {"i4:-1"}},
    {F(MD5), "t", "d41d8cd98f00b204e9800998ecf8427e", {"v20:"}},
    {F(MD5), "t", "900150983cd24fb0d6963f7d28e17f72", {"v20:abc"}},
    {F(MD5),
     "t",
     "57edf4a22be3c955ac49da2e2107b67a",
     {"v99:12345678901234567890123456789012345678901234567890123456789012345678901234567890"}},
};

static const CallCase like_cases[] = {
    {F(LIKE), "b", "t", {"v20:hello", "v20:hello"}},
    {F(LIKE), "b", "f", {"v20:hello", "v20:hell"}},
    {F(LIKE), "b", "f", {"v20:hello ", "v20:hello"}},
    {F(LIKE), "b", "t", {"v20:hello", "v20:he%"}},
    {F(LIKE), "b", "f", {"v20:hello", "v20:eh%"}},
    {F(LIKE), "b", "t", {"v20:hello", "v20:%lo"}},
    {F(LIKE), "b", "f", {"v20:hello", "v20:%la"}},
    {F(LIKE), "b", "t", {"v20:hello", "v20:%ell%"}},
    {F(LIKE), "b", "f", {"v20:hello", "v20:%elp%"}},
    {F(LIKE), "b", "t", {"v20:hello", "v20:%"}},
    {F(LIKE), "b", "t", {"v20:", "v20:%"}},
    {F(LIKE), "b", "t", {"v20:", "v20:"}},
    {F(LIKE), "b", "f", {"v20:a", "v20:"}},
    {F(LIKE), "b", "t", {"v20:hello", "v20:h%l%o"}},
    {F(LIKE), "b", "f", {"v20:aba", "v20:ab%ba"}},
    {F(LIKE), "b", "t", {"v20:abba", "v20:ab%ba"}},
    {F(LIKE), "b", "t", {"v20:hello", "v20:h_llo"}},
    {F(LIKE), "b", "t", {"v20:hällo", "v20:h_llo"}},
    {F(LIKE), "b", "f", {"v20:hello", "v20:h__llo"}},
    {F(LIKE), "b", "t", {"v20:h😀o", "v20:%_o"}},
    {F(LIKE), "b", "t", {"v20:hello", "v20:_____"}},
    {F(LIKE), "b", "f", {"v20:hello", "v20:______"}},
    {F(LIKE), "b", "t", {"v20:aaab", "v20:%a_b"}},
    {F(LIKE), "b", "t", {"v20:100%", "v20:100\\%"}},
    {F(LIKE), "b", "f", {"v20:1000", "v20:100\\%"}},
    {F(LIKE), "b", "t", {"v20:a_b", "v20:a#_b", "v20:#"}},
    {F(LIKE), "b", "f", {"v20:axb", "v20:a#_b", "v20:#"}},
    {F(LIKE), "b", "t", {"v20:a\\b", "v20:a\\b", "v20:"}},
    {F(LIKE), "b", "!22025", {"v20:a", "v20:a\\"}},
    {F(LIKE), "b", "!22025", {"v20:a", "v20:a", "v20:##"}},
    {F(LIKE),
     "b",
     "t",
     {"v99:the special packages and the pending requests", "v20:%special%requests%"}},
    {F(LIKE),
     "b",
     "f",
     {"v99:the requests precede the special packages of all", "v20:%special%requests%"}},
    {F(LIKE),
     "b",
     "t",
     {"v99:a text of more than sixty-four bytes, whose needle lies near its far end: needle",
      "v20:%needle"}},
    {F(LIKE),
     "b",
     "t",
     {"v99:a text of more than sixty-four bytes, whose needle lies near its far end: here",
      "v20:%far end%"}},
    {F(ILIKE), "b", "t", {"v20:HeLLo", "v20:hEl%"}},
    {F(ILIKE), "b", "t", {"v20:ÄPFEL", "v20:%pfe_"}},
    {F(ILIKE), "b", "t", {"v20:ÄPFEL", "v20:ä%"}},
    {F(ILIKE), "b", "f", {"v20:HeLLo", "v20:hex%"}},
    {F(EQUAL), "b", "t", {"v20:abc", "v20:abc  "}},
    {F(EQUAL), "b", "f", {"v20:abc", "v20: abc"}},
    {F(NOT_EQUAL), "b", "f", {"v20:abc ", "v20:abc"}},
    {F(LESS), "b", "t", {"v20:abc", "v20:abd"}},
    {F(LESS), "b", "f", {"v20:abc ", "v20:abc"}},
    {F(LESS_EQUAL), "b", "t", {"v20:abc", "v20:abc "}},
    {F(GREATER), "b", "t", {"v20:b", "v20:abcdefghijklmnopqrstuvwxyz"}},
    {F(GREATER_EQUAL), "b", "t", {"v20:é", "v20:z"}},
    {F(EQUAL), "b", "t", {"v40:a text longer than a view", "v40:a text longer than a view"}},
    {F(EQUAL), "b", "f", {"v40:a text longer than a view", "v40:a text longer than a vieW"}},
};

START_TEST(cutting)
{
    fixture_run_cases(cut_cases, COUNT(cut_cases), true);
}
END_TEST

START_TEST(editing)
{
    fixture_run_cases(edit_cases, COUNT(edit_cases), true);
}
END_TEST

START_TEST(matching)
{
    fixture_run_cases(like_cases, COUNT(like_cases), true);
}
END_TEST

int main(void)
{
    TCase *texts = tcase_create("texts");
    tcase_add_test(texts, cutting);
    tcase_add_test(texts, editing);
    tcase_add_test(texts, matching);
    return fixture_run_suite("text_functions", &texts, 1);
}
