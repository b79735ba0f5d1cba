"""Other projects' CSV files, which lie beside the repository and not in it, by name.

The tests run on those of this list that are there, and on no other.  test_corpus.py says which ones
are absent.
"""

from pathlib import Path

DATA = Path(__file__).resolve().parents[3] / 'shared' / 'data'
FOLDERS = {
    'bench': 'gtfs-mbta-stop-times nfl worldcitiespop',
    'csv-spectrum/csvs': (
        'comma_in_quotes empty empty_crlf escaped_quotes json newlines newlines_crlf '
        'quotes_and_newlines simple simple_crlf utf8'
    ),
    'libvroom/basic': (
        'many_rows narrow_columns simple simple_no_header single_column tiny wide_columns'
    ),
    'libvroom/comments': 'hash_comments multi_header_comments quoted_hash semicolon_comments',
    'libvroom/edge_cases': (
        'all_empty_column ambiguous_delimiter empty_fields empty_file long_fields single_cell '
        'single_row_header_only utf8_truncation whitespace_fields'
    ),
    'libvroom/encoding': (
        'latin1 utf16_be_bom utf16_be_no_bom utf16_bom utf16_le_bom utf16_le_no_bom '
        'utf32_be_bom utf32_le_bom utf8_bom'
    ),
    'libvroom/escape': 'backslash_escape',
    'libvroom/fuzz': (
        'afl_10 afl_binary bad_escape deep_quotes invalid_utf8 just_quotes mixed_cr '
        'quote_delimiter_alt quote_eof scattered_nulls'
    ),
    'libvroom/large': 'buffer_boundary large_field long_line parallel_chunk_boundary',
    'libvroom/line_endings': 'cr crlf lf no_final_newline',
    'libvroom/malformed': (
        'duplicate_column_names empty_header inconsistent_columns '
        'inconsistent_columns_all_rows invalid_quote_escape mixed_line_endings '
        'multiple_errors null_byte quote_after_data quote_in_unquoted_field '
        'quote_not_at_start trailing_quote triple_quote unclosed_quote unclosed_quote_eof '
        'unescaped_quote_in_quoted variable_columns'
    ),
    'libvroom/quoted': (
        'contains_cr cr_in_quotes embedded_separators escaped_quotes mixed_quoted '
        'needs_quoting newlines_in_quotes quoted_fields'
    ),
    'libvroom/ragged': 'fewer_columns mixed_columns more_columns',
    'libvroom/real_world': 'contacts financial product_catalog unicode',
    'libvroom/separators': 'colon pipe semicolon tab',
    'libvroom/whitespace': 'blank_leading_rows blank_rows_mixed trim_fields whitespace_only_rows',
}
LISTED = [f'{folder}/{name}.csv' for folder, names in FOLDERS.items() for name in names.split()]
NAMES = [name for name in LISTED if (DATA / name).is_file()]
ABSENT = [name for name in LISTED if name not in NAMES]
