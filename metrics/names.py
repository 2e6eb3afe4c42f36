"""Every metric once: its name, kind, help text, labels and buckets.

Conventions: https://prometheus.io/docs/practices/naming/ (one prefix, base units, `_total` for
counters, timestamps rather than ages, every label set present from the start). Labels are
bounded: lines, exchanges and the words of our own enumerations; never a number or a name.
"""

from dataclasses import dataclass
from enum import StrEnum

from telephony.health import LAG_BOUNDS


class Shape(StrEnum):
    """The metric types of the exposition format that we use."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric as it stands on the page; a counter's name ends in `_total`."""

    name: str
    shape: Shape
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The sample names a query may use for this metric."""
        if self.shape is Shape.HISTOGRAM:
            return (f"{self.name}_bucket", f"{self.name}_count", f"{self.name}_sum")
        return (self.name,)


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(name=name, shape=Shape.COUNTER, help=text, labels=labels)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(name=name, shape=Shape.GAUGE, help=text, labels=labels)


def _histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Metric:
    return Metric(name=name, shape=Shape.HISTOGRAM, help=text, labels=labels, buckets=buckets)


# Bucket edges lie on the promises (15 s) and on round times, so a ratio read off them is exact.
WAIT_BUCKETS = (5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
TALK_BUCKETS = (15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)

# Native histograms have these edges beside those: every fourth doubles (schema 2), from a
# sixteenth of a second, below which everything is zero, to a day and a half.
NATIVE_SCHEMA, NATIVE_FIRST, NATIVE_LAST = 2, -16, 68
NATIVE_EDGES = tuple(2.0 ** (n / 2**NATIVE_SCHEMA) for n in range(NATIVE_FIRST, NATIVE_LAST + 1))

# --- calls -----------------------------------------------------------------------------------
CALLS_OFFERED = _counter(
    "hotline_calls_offered_total", "Calls that asked for a person (entered the queue).", "line"
)
CALLS_ANSWERED = _counter(
    "hotline_calls_answered_total", "Offered calls that a person answered.", "line"
)
CALLS_ANSWERED_WITHIN_TARGET = _counter(
    "hotline_calls_answered_within_target_total",
    "Offered calls answered within the line's target, 15 s unless configured otherwise.",
    "line",
)
CALLS_ABANDONED = _counter(
    "hotline_calls_abandoned_total",
    "Offered calls whose caller hung up before an answer; short is below the abandon threshold.",
    "line",
    "kind",
)
CALLS_LEFT_BEFORE_QUEUE = _counter(
    "hotline_calls_left_before_queue_total",
    "Calls that ended during the notice, before they asked for a person; not offered.",
    "line",
)
CALLS_ENDED = _counter(
    "hotline_calls_ended_total", "Calls of citizens that ended.", "line", "outcome"
)
CALLS_FROM_HERE = _counter(
    "hotline_calls_from_here_total",
    "Calls that operators or the service made, by way and end; they are in no rate.",
    "direction",
    "outcome",
)
CALLS_RECOVERED = _counter(
    "hotline_calls_recovered_total",
    "Calls learnt wholly or partly from the exchange's own files, not from its live events.",
    "line",
)
CALLS_REGISTERED = _counter(
    "hotline_calls_registered_total",
    "Answered calls that have a case confirmed by a person.",
    "line",
)
CALLS_WAITING = _gauge("hotline_calls_waiting", "Calls waiting for a person now.", "line")
CALLS_ACTIVE = _gauge("hotline_calls_active", "Calls that have not ended.", "line")
OLDEST_WAITING = _gauge(
    "hotline_calls_oldest_waiting_timestamp_seconds",
    "When the longest waiting caller entered the queue; 0 when nobody waits.",
    "line",
)
QUEUE_WAIT = _histogram(
    "hotline_queue_wait_seconds",
    "Time from entering the queue to the answer, or to the end of a call nobody answered.",
    WAIT_BUCKETS,
    "line",
    "outcome",
)
TALK = _histogram(
    "hotline_talk_seconds", "Time from the answer to the end of the call.", TALK_BUCKETS, "line"
)

# --- the sliding 24 hours --------------------------------------------------------------------
CONNECT_WINDOW_OFFERED = _gauge(
    "hotline_connect_window_offered",
    "Calls offered in the last 24 hours, less those still waiting.",
    "line",
)
CONNECT_WINDOW_ANSWERED = _gauge(
    "hotline_connect_window_answered",
    "Calls of hotline_connect_window_offered that a person answered.",
    "line",
)
CONNECT_WINDOW_SHORT = _gauge(
    "hotline_connect_window_abandoned_short",
    "Calls of hotline_connect_window_offered whose caller left below the abandon threshold.",
    "line",
)
TARGET_WINDOW_OFFERED = _gauge(
    "hotline_target_window_offered",
    "Calls offered in the last 24 hours, less those still waiting within the target.",
    "line",
)
TARGET_WINDOW_ANSWERED = _gauge(
    "hotline_target_window_answered",
    "Calls of hotline_target_window_offered answered within the target.",
    "line",
)

# --- indicators ------------------------------------------------------------------------------
INDICATOR_NUMERATOR = _gauge(
    "hotline_indicator_numerator",
    "What an indicator divides, over its own sliding window; see `hotline indicators define`.",
    "indicator",
    "line",
)
INDICATOR_DENOMINATOR = _gauge(
    "hotline_indicator_denominator",
    "By what an indicator divides; 0 says that there is no figure.",
    "indicator",
    "line",
)
INDICATOR_EXCLUDED = _gauge(
    "hotline_indicator_excluded",
    "What is in neither number of an indicator, by fact.",
    "indicator",
    "line",
    "fact",
)
INDICATORS_TIME = _gauge("hotline_indicators_timestamp_seconds", "When indicators were read.")
NUMBERS_MISSING = _gauge(
    "hotline_call_numbers_missing",
    "Calls of 30 days whose number is gone, or that only the exchange knows: always 0.",
)

# --- sound and words -------------------------------------------------------------------------
RECORDINGS = _gauge("hotline_recordings", "Recorded legs of calls by state.", "state")
TRANSCRIPTS_PENDING = _gauge(
    "hotline_transcripts_pending", "Recorded legs that wait to be transcribed."
)
TRANSCRIPTS_OLDEST_PENDING = _gauge(
    "hotline_transcripts_oldest_pending_timestamp_seconds",
    "When the longest waiting transcript was asked for; 0 when none waits.",
)
TRANSCRIPTS_DONE = _counter("hotline_transcripts_done_total", "Recorded legs transcribed.")
TRANSCRIPTS_FAILED = _counter("hotline_transcripts_failed_total", "Times a leg was not heard.")
JOBS_PARKED = _gauge("hotline_jobs_parked", "Jobs that were given up, by their step.", "step")
TRANSCRIPTS_AUDIO = _counter(
    "hotline_transcripts_audio_seconds_total", "Sound transcribed, in seconds."
)

# --- live captions ---------------------------------------------------------------------------
CAPTION_CALLS = _gauge("hotline_caption_calls", "Calls that are captioned now.")
CAPTION_LEGS = _gauge("hotline_caption_legs", "Legs of calls that are tapped and heard now.")
CAPTION_CAPACITY = _gauge(
    "hotline_caption_capacity_calls",
    "Calls that can be captioned at once, as measured when the process started.",
)
CAPTION_LAG = _gauge(
    "hotline_caption_lag_seconds", "How late the words of the slowest leg come after its sound."
)
CAPTION_SELFTEST = _gauge(
    "hotline_caption_selftest_ratio",
    "CPU seconds for a second of a call, both legs, as measured when the process started.",
)
CAPTION_AUDIO = _counter(
    "hotline_caption_audio_seconds_total", "Sound heard live, since this process started."
)
CAPTION_CPU = _counter(
    "hotline_caption_cpu_seconds_total",
    "CPU time for it; divided by the sound it is the real-time factor.",
)
CAPTION_SEGMENTS = _counter(
    "hotline_caption_segments_total", "Final segments, since this process started."
)
CAPTION_SHED = _counter(
    "hotline_caption_shed_total",
    "Calls whose captions were given up, since this process started.",
    "reason",
)
CAPTION_TAP_RESTARTS = _counter(
    "hotline_caption_tap_restarts_total",
    "Taps of a leg started again because its sound stopped, since this process started.",
)
CAPTION_TAPS_REFUSED = _counter(
    "hotline_caption_taps_refused_total",
    "Connections to the caption port that were none of ours, since this process started.",
)
CAPTION_DECODER_DEATHS = _counter(
    "hotline_caption_decoder_deaths_total",
    "Live decoders that died at work, since this process started.",
)

# --- cases -----------------------------------------------------------------------------------
CASES = _gauge("hotline_cases", "Cases by state.", "line", "state")
CASES_OVERDUE = _gauge(
    "hotline_cases_overdue", "Accepted items past their due time without an answer.", "line"
)
UNIT_CASES = _gauge(
    "hotline_unit_cases",
    "Cases that wait for an answer, by the unit that has them (none: no unit yet) and by how their "
    "limit stands; soon ends within 24 hours.",
    "unit",
    "deadline",
)
UNIT_DUE = _gauge("hotline_unit_window_due", "A unit's items that fell due in 30 days.", "unit")
UNIT_ON_TIME = _gauge("hotline_unit_window_on_time", "Of these, those answered by then.", "unit")
CASES_WITHDRAWN = _counter(
    "hotline_cases_withdrawn_total", "Accepted items withdrawn; they are never handled.", "line"
)
HANDLING_DUE = _counter(
    "hotline_handling_due_total",
    "Accepted items whose due time has come: the denominator of the handling ratio.",
    "line",
)
HANDLING_HANDLED = _counter(
    "hotline_handling_handled_total",
    "Due items answered directly, or dispatched and answered: the numerator.",
    "line",
)
CASES_ON_TIME = _counter(
    "hotline_cases_on_time_total", "Due items answered at or before their due time.", "line"
)
HANDLING_WINDOW_DUE = _gauge("hotline_handling_window_due", "Items due in 30 days.", "line")
HANDLING_WINDOW_HANDLED = _gauge(
    "hotline_handling_window_handled",
    "Items of hotline_handling_window_due answered directly, or dispatched and answered.",
    "line",
)
HANDLING_WINDOW_ON_TIME = _gauge(
    "hotline_handling_window_on_time",
    "Items of hotline_handling_window_due answered at or before their due time.",
    "line",
)
HANDLING_UNDATED = _gauge(
    "hotline_handling_undated",
    "Accepted items whose due time cannot be computed (calendar or policy missing).",
    "line",
)

# --- people ----------------------------------------------------------------------------------
OPERATORS = _gauge("hotline_operators", "Operators by line and state.", "line", "state")
COVERAGE_GAP = _gauge(
    "hotline_coverage_gap_timestamp_seconds",
    "Since when a line has nobody (staff), from when its roster lacks somebody (roster), or since "
    "when a shift has changed without a handover (handover); 0 while there is no gap.",
    "line",
    "kind",
)
CALLOUTS = _gauge("hotline_callouts", "Call-outs by how they stand or ended.", "state")
DUTY_INCIDENTS = _gauge("hotline_duty_incidents", "Incidents that are not over.", "state")
DUTY_OVERDUE = _gauge(
    "hotline_duty_overdue",
    "What the duty desk should have done by now and has not: incidents by timer, instructions.",
    "timer",
)

# --- supervision -----------------------------------------------------------------------------
SUPERVISION = _gauge(
    "hotline_supervision", "Matters under supervision that are not cleared, by level.", "level"
)
UNSUPERVISED = _gauge(
    "hotline_overdue_unsupervised",
    "Cases and tracked items past their limit without a supervision record: always 0.",
)

# --- bursts ----------------------------------------------------------------------------------
BURSTS = _gauge(
    "hotline_bursts",
    "Bursts of cases of one sort in one area that go on: unseen are those nobody acknowledged.",
    "state",
)

# --- test calls ------------------------------------------------------------------------------
PROBE_SUCCESS = _gauge(
    "hotline_probe_success",
    "Whether the newest test call into the line was answered and recorded; NaN before the first.",
    "system",
    "line",
)
PROBE_LAST_SUCCESS = _gauge(
    "hotline_probe_last_success_timestamp_seconds",
    "When the last successful test call into the line was placed; 0 before the first.",
    "system",
    "line",
)
PROBE_ANSWER = _gauge(
    "hotline_probe_answer_seconds",
    "Time from the start of the newest test call to its answer, the notice included; NaN without.",
    "system",
    "line",
)

# --- trust -----------------------------------------------------------------------------------
DIFFERENCES = _counter(
    "hotline_reconciliation_differences_total",
    "Places where the exchange's files and the stored call told different stories.",
    "system",
    "kind",
)
FILES_READ = _gauge(
    "hotline_exchange_file_read_timestamp_seconds",
    "When something new was last read from a file of the exchange; 0 before the first time.",
    "system",
    "source",
)
AMI_CONNECTED = _gauge(
    "hotline_ami_connected", "Whether the event connection to the exchange stands.", "system"
)
AMI_RECONNECTS = _counter(
    "hotline_ami_reconnects_total",
    "Lost event connections by reason, since this process started.",
    "system",
    "reason",
)
AMI_EVENTS = _counter(
    "hotline_ami_events_total",
    "Events received by name, since this process started.",
    "system",
    "event",
)
AMI_DROPPED = _counter(
    "hotline_ami_events_dropped_total",
    "Events given up because the service fell behind; the files bring them back.",
    "system",
)
AMI_BUFFER = _gauge(
    "hotline_ami_event_buffer_size", "Events received and not yet handled.", "system"
)
AMI_EVENT_LAG = _histogram(
    "hotline_ami_event_lag_seconds",
    "Delay between the exchange's own time stamp of an event and its arrival.",
    LAG_BOUNDS,
    "system",
)
DATABASE_UP = _gauge("hotline_database_up", "Whether the database answered this scrape.")
SNAPSHOT_TIME = _gauge(
    "hotline_snapshot_timestamp_seconds",
    "When the numbers on this page were read from the database.",
)
SNAPSHOT_AGE = _gauge(
    "hotline_snapshot_age_seconds", "How old the numbers on this page are: they come from a cache."
)
SNAPSHOT_TOOK = _gauge(
    "hotline_snapshot_duration_seconds", "How long the numbers on this page took to read."
)
CALENDAR_END = _gauge(
    "hotline_calendar_end_timestamp_seconds",
    "When the last day of the working-day calendar is over; limits beyond it have no due time.",
)
CERTIFICATE_END = _gauge(
    "hotline_certificate_end_timestamp_seconds",
    "When a certificate that the configuration names ends; 0 where it cannot be read.",
    "file",
)
BUILD = _gauge("hotline_build_info", "The running version; the value is always 1.", "version")

ALL: tuple[Metric, ...] = tuple(
    value for name, value in list(globals().items()) if name.isupper() and isinstance(value, Metric)
)
