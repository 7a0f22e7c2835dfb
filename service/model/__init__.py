"""The domain's values, one module for each noun; this one gives them all. No transport, no database."""

from service.model.answer import Answer
from service.model.caller import ANONYMOUS, LONGEST_NAME, ApiKey, Caller, Role, Types, is_name
from service.model.comparison import Comparison, Direction, Fingerprint
from service.model.event import Event
from service.model.job import JOB_STAGES, Job, JobFailure, JobStatus, Owed
from service.model.moment import Timestamp
from service.model.resource import Attribution, Change, ChangeKind, Companion, Draft, Resource, Revision, Written
from service.model.source import Document, Format, Reading, Source, Upload

__all__ = [
    "ANONYMOUS",
    "JOB_STAGES",
    "LONGEST_NAME",
    "Answer",
    "ApiKey",
    "Attribution",
    "Caller",
    "Change",
    "ChangeKind",
    "Companion",
    "Comparison",
    "Direction",
    "Document",
    "Draft",
    "Event",
    "Fingerprint",
    "Format",
    "Job",
    "JobFailure",
    "JobStatus",
    "Owed",
    "Reading",
    "Resource",
    "Revision",
    "Role",
    "Source",
    "Timestamp",
    "Types",
    "Upload",
    "Written",
    "is_name",
]
