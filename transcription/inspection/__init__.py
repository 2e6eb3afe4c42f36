"""Every call listened to by rules: what was said, left unsaid and how, each with its moment.

Enters: a `Talk`, which is the two transcripts of a call with when it was answered, held and over,
and a `Form`, the versioned list of what is looked at (`deploy/inspection/default.yaml`).
Leaves: an `Inspection`: of each item whether it was kept, lost (with the points, the reason, the
leg and seconds to listen to, and the words), not asked for, or not judged and why; and a score out
of what could be judged, or none.

Read `talk.py` first, then `inspecting.py`. `spans.py` is the algebra of intervals, `measures.py`
what two legs tell of rate, silence, overlap and interruption, `phrases.py` finds phrases as written
and by sound, `form.py` is the form, `checks.py` and `wording.py` hold one function a check.
A score is advice: what it is worth, a person says.
"""
