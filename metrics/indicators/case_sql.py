"""The statements of `store.py` that count lives of cases.

A life runs from an acceptance (the opening, or the reopening on new facts) to its end; reopened, a
case is accepted anew and its first life stays counted as it ended. Answers, returns and ends come
from the journal, which keeps them. Parameters as in `store.py`; nothing here takes a value into its
text, the parts are literals. What units have a share in is counted for each of them in the same
pass: one row for all (`whole`), and one for each unit that was found.
"""

from typing import LiteralString

_NOT_HIDDEN: LiteralString = " AND c.id <> ALL (ARRAY(SELECT hidden_cases('{}'))) "
_OF_EACH: LiteralString = " GROUP BY GROUPING SETS ((), (unit)) "
_OF_LINE: LiteralString = " AND ($3::text IS NULL OR c.line = $3) "

# What fell due: the present life of a case, and those before it, which its reopenings lead to. Who
# was answered directly, told where to go, or told why nothing is done, was answered at the end.
HANDLING: LiteralString = (
    """
WITH lives AS (
    SELECT c.id AS case_id, c.unit, c.due_at, c.outcome IS NOT DISTINCT FROM 'withdrawn'
               AND c.closed_at <= $2 AS withdrawn,
           coalesce((SELECT max(r.id) FROM journal r
                      WHERE r.case_id = c.id AND r.event = 'case.reopened'), 0) AS first,
           9223372036854775807 AS last
      FROM cases c
     WHERE c.kind IS NOT NULL AND c.opened_at IS NOT NULL AND c.due_at > $1::timestamptz
       AND c.due_at <= $2::timestamptz AND ($4::text IS NULL OR c.unit = $4)"""  # noqa: S608 - of literal parts
    + _OF_LINE
    + _NOT_HIDDEN
    + """
    UNION ALL
    SELECT c.id, e.body ->> 'unit', (e.body ->> 'due_at')::timestamptz,
           e.body ->> 'outcome' = 'withdrawn' AND e.at <= $2,
           coalesce((SELECT max(b.id) FROM journal b WHERE b.case_id = c.id
                        AND b.event = 'case.reopened' AND b.id < e.id), 0), e.id
      FROM journal r JOIN cases c ON c.id = r.case_id
     CROSS JOIN LATERAL (SELECT * FROM journal x
                          WHERE x.case_id = r.case_id AND x.id < r.id AND x.body ? 'outcome'
                          ORDER BY x.id DESC LIMIT 1) e
     WHERE r.event = 'case.reopened' AND e.body ->> 'kind' IS NOT NULL
       AND e.body ->> 'opened_at' IS NOT NULL
       AND (e.body ->> 'due_at')::timestamptz > $1::timestamptz
       AND (e.body ->> 'due_at')::timestamptz <= $2::timestamptz
       AND ($4::text IS NULL OR e.body ->> 'unit' = $4)"""
    + _OF_LINE
    + _NOT_HIDDEN
    + """),
judged AS (
    SELECT l.unit, true AS dated, l.withdrawn, told.extended,
           coalesce(told.answer >= coalesce(told.back, '-infinity'), false) AS handled,
           coalesce(told.early >= coalesce(told.early_back, '-infinity'), false) AS on_time
      FROM lives l
     CROSS JOIN LATERAL (
           SELECT max(j.at) FILTER (WHERE answers AND j.at <= $2) AS answer,
                  max(j.at) FILTER (WHERE answers AND j.at <= l.due_at) AS early,
                  max(j.at) FILTER (WHERE j.event = 'case.redo' AND j.at <= $2) AS back,
                  max(j.at) FILTER (WHERE j.event = 'case.redo' AND j.at <= l.due_at)
                      AS early_back,
                  count(*) FILTER (WHERE j.event = 'case.extension_granted' AND j.at <= $2) > 0
                      AS extended
             FROM (SELECT a.at, a.event,
                          a.event IN ('case.answered', 'case.followed')
                              OR a.body ->> 'outcome' IN ('direct', 'explained', 'terminated')
                              AS answers
                     FROM journal a
                    WHERE a.case_id = l.case_id AND a.id > l.first AND a.id <= l.last) j) told
    UNION ALL
    SELECT c.unit, false, false, false, false, false
      FROM cases c
     WHERE c.due_at IS NULL AND c.kind IS NOT NULL AND c.opened_at > $1 AND c.opened_at <= $2
       AND ($4::text IS NULL OR c.unit = $4)"""
    + _OF_LINE
    + _NOT_HIDDEN
    + """)
SELECT unit, grouping(unit) = 1 AS whole,
       count(*) FILTER (WHERE dated) AS due,
       count(*) FILTER (WHERE handled) AS handled,
       count(*) FILTER (WHERE on_time) AS on_time,
       count(*) FILTER (WHERE on_time AND NOT extended) AS on_time_unextended,
       count(*) FILTER (WHERE extended) AS extended_due,
       count(*) FILTER (WHERE withdrawn) AS withdrawn_due,
       count(*) FILTER (WHERE dated AND NOT handled AND NOT withdrawn) AS overdue,
       count(*) FILTER (WHERE NOT dated) AS undated
  FROM judged"""
    + _OF_EACH
)

_UNTIL_REOPENED: LiteralString = """
    coalesce((SELECT min(r.id) FROM journal r WHERE r.case_id = j.case_id AND r.id > j.id
                 AND r.event = 'case.reopened'), 9223372036854775807)"""

# Accepted: opened, reopened, or answered and told where to go straight from a draft.
ACCEPTED: LiteralString = (
    """
WITH lives AS (
    SELECT j.id, j.case_id, """  # noqa: S608 - of literal parts
    + _UNTIL_REOPENED
    + """ AS last
      FROM journal j
     CROSS JOIN LATERAL (
           SELECT FROM cases c WHERE c.id = j.case_id AND c.kind IS NOT NULL"""
    + _OF_LINE
    + _NOT_HIDDEN
    + """ LIMIT 1) counted
     WHERE j.at > $1::timestamptz AND j.at <= $2::timestamptz AND $4::text IS NULL
       AND (j.event IN ('case.opened', 'case.reopened')
            OR (j.event IN ('case.closed', 'case.explained') AND j.body ->> 'from' = 'draft')))
SELECT count(*) AS accepted,
       count(*) FILTER (WHERE EXISTS (
           SELECT FROM journal e WHERE e.case_id = l.case_id AND e.id >= l.id AND e.id < l.last
              AND e.at <= $2 AND e.body ->> 'outcome' IN ('direct', 'explained'))
           AND NOT EXISTS (
           SELECT FROM journal e WHERE e.case_id = l.case_id AND e.id > l.id AND e.id < l.last
              AND e.at <= $2 AND e.event = 'case.dispatched')) AS direct,
       (SELECT count(*) FROM cases c WHERE c.state = 'draft' AND c.drafted_at > $1
           AND c.drafted_at <= $2 AND $4::text IS NULL"""
    + _OF_LINE
    + _NOT_HIDDEN
    + """) AS drafts
  FROM lives l"""
)

# The first dispatch of a life; the unit is the one that it was sent to first. A limit that ended
# unkept has its record of supervision (supervision.py), which names the limit that ended.
DISPATCHED: LiteralString = (
    """
WITH sent AS (
    SELECT j.id, j.case_id, j.at, j.body ->> 'unit' AS unit, """  # noqa: S608 - of literal parts
    + _UNTIL_REOPENED
    + """ AS last
      FROM journal j JOIN cases c ON c.id = j.case_id
     WHERE j.event = 'case.dispatched' AND j.at > $1::timestamptz AND j.at <= $2::timestamptz
       AND ($4::text IS NULL OR j.body ->> 'unit' = $4)
       AND NOT EXISTS (SELECT FROM journal p
                        WHERE p.case_id = j.case_id AND p.id < j.id AND p.event = 'case.dispatched'
                          AND p.id > coalesce((SELECT max(r.id) FROM journal r
                                                WHERE r.case_id = j.case_id AND r.id < j.id
                                                  AND r.event = 'case.reopened'), 0))"""
    + _OF_LINE
    + _NOT_HIDDEN
    + """),
told AS (
    SELECT s.id, s.unit, passed.*, watched.*
      FROM sent s
     CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE a.body ? 'outcome') > 0 AS over,
                  count(*) FILTER (WHERE a.event = 'case.dispatched') > 0 AS again,
                  count(*) FILTER (WHERE a.event = 'case.return_asked') AS asked_back,
                  count(*) FILTER (WHERE a.event = 'case.return_accepted') AS taken_back,
                  count(*) FILTER (WHERE a.event = 'case.return_refused') AS refused,
                  count(*) FILTER (WHERE a.event = 'case.extension_granted') > 0 AS longer,
                  coalesce(min((a.body ->> 'contacted_at')::timestamptz)
                           <= s.at + interval '24 hours', false) AS contacted
             FROM journal a
            WHERE a.case_id = s.case_id AND a.id > s.id AND a.id < s.last AND a.at <= $2) passed
     CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE w.trigger = 'not_signed') > 0 AS unsigned,
                  count(*) FILTER (WHERE w.trigger = 'overdue' AND w.stage = 'handling') > 0
                      AS overdue,
                  count(*) > 0 AS urged,
                  count(*) FILTER (WHERE w.level <> 'urge') > 0 AS watched
             FROM supervisions w
            WHERE w.case_id = s.case_id AND w.ends_at > s.at AND w.ends_at < $2
              AND w.ends_at < coalesce((SELECT r.at FROM journal r WHERE r.id = s.last),
                                       'infinity')) watched)
SELECT unit, grouping(unit) = 1 AS whole,
       count(*) AS dispatched,
       count(*) FILTER (WHERE over) AS dispatched_ended,
       count(*) FILTER (WHERE unsigned) AS signed_late,
       count(*) FILTER (WHERE NOT unsigned) AS signed_in_time,
       count(*) FILTER (WHERE contacted) AS contacted,
       count(*) FILTER (WHERE NOT again AND taken_back = 0) AS right_first,
       coalesce(sum(asked_back), 0)::bigint AS return_asked,
       coalesce(sum(refused), 0)::bigint AS return_refused,
       count(*) FILTER (WHERE longer) AS extended,
       count(*) FILTER (WHERE overdue) AS late,
       count(*) FILTER (WHERE urged) AS urged,
       count(*) FILTER (WHERE watched) AS supervised
  FROM told"""
    + _OF_EACH
)

# What the caller said is what the last row of the life tells; nothing said is nothing said.
ENDED: LiteralString = (
    """
WITH ends AS (
    SELECT j.id, j.case_id, j.at, j.body ->> 'unit' AS unit,
           j.body ->> 'outcome' AS outcome, j.body ->> 'result' AS result,
           j.body ->> 'solved' AS solved, j.body ->> 'satisfied' AS satisfied,
           (j.body ->> 'opened_at')::timestamptz AS opened_at,
           coalesce((SELECT max(r.id) FROM journal r WHERE r.case_id = j.case_id AND r.id < j.id
                        AND r.event = 'case.reopened'), 0) AS first
      FROM journal j JOIN cases c ON c.id = j.case_id
     WHERE j.event IN ('case.closed', 'case.explained', 'case.terminated', 'case.withdrawn')
       AND j.at > $1::timestamptz AND j.at <= $2::timestamptz AND j.body ? 'outcome'
       AND ($4::text IS NULL OR j.body ->> 'unit' = $4)"""  # noqa: S608 - of literal parts
    + _OF_LINE
    + _NOT_HIDDEN
    + """),
told AS (
    SELECT e.*, passed.*, e.outcome = 'handled' AS handled,
           e.outcome = 'handled' AND e.result = 'reached' AS spoken,
           extract(epoch FROM passed.answer - e.opened_at) AS seconds
      FROM ends e
     CROSS JOIN LATERAL (
           SELECT max(a.at) FILTER (WHERE a.event IN ('case.answered', 'case.followed')) AS answer,
                  count(*) FILTER (WHERE a.event = 'case.redo') > 0 AS redone,
                  count(*) FILTER (WHERE a.event = 'case.call_back_tried') > 0 AS tried
             FROM journal a
            WHERE a.case_id = e.case_id AND a.id > e.first AND a.id < e.id) passed)
SELECT unit, grouping(unit) = 1 AS whole,
       count(*) FILTER (WHERE outcome = 'withdrawn') AS withdrawn,
       count(*) FILTER (WHERE outcome = 'terminated') AS terminated,
       count(*) FILTER (WHERE handled) AS handled_ended,
       count(*) FILTER (WHERE handled AND (tried OR result IS NOT NULL)) AS called_back,
       count(*) FILTER (WHERE spoken) AS reached,
       count(*) FILTER (WHERE handled AND NOT coalesce(spoken, false)) AS not_reached,
       count(*) FILTER (WHERE handled AND redone) AS redone,
       count(*) FILTER (WHERE spoken AND solved = 'yes') AS solved,
       count(*) FILTER (WHERE spoken AND solved = 'no') AS unsolved,
       count(*) FILTER (WHERE spoken AND coalesce(solved, 'not_answered')
                              = 'not_answered') AS solved_silent,
       count(*) FILTER (WHERE spoken AND satisfied = 'satisfied') AS satisfied,
       count(*) FILTER (WHERE spoken AND satisfied = 'basically') AS basically,
       count(*) FILTER (WHERE spoken AND satisfied = 'dissatisfied') AS dissatisfied,
       count(*) FILTER (WHERE spoken AND coalesce(satisfied, 'not_answered')
                              = 'not_answered') AS satisfied_silent,
       coalesce(sum(seconds) FILTER (WHERE handled), 0)::float8 AS handling_seconds,
       coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds)
                    FILTER (WHERE handled), 0)::float8
           AS handling_seconds_median,
       coalesce(percentile_disc(0.9) WITHIN GROUP (ORDER BY seconds)
                    FILTER (WHERE handled), 0)::float8
           AS handling_seconds_p90
  FROM told"""
    + _OF_EACH
)
