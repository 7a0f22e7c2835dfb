"""Everything that can go wrong, as one tree. No HTTP status lives here: `api.problems` alone knows those.

ServiceError
├── RequestError
│   ├── MalformedJsonError          invalid-json
│   ├── InvalidRequestError         invalid-request
│   ├── InvalidPatchError           invalid-patch
│   ├── InvalidMultipartError       invalid-multipart
│   ├── UnsupportedMediaTypeError   unsupported-media-type
│   ├── NotAcceptableError          not-acceptable
│   └── RequestTimeoutError         request-timeout
├── AccessError
│   ├── UnauthenticatedError        unauthenticated
│   ├── ForbiddenError              forbidden
│   └── RateLimitedError            rate-limited
├── LimitError
│   ├── TooLargeError               too-large (what was sent)
│   ├── ResultTooLargeError         too-large (what would come of it)
│   ├── TooDeepError                too-deep
│   ├── TooComplexError             too-complex
│   └── OverloadedError             overloaded
├── LookupFailedError
│   ├── NotFoundError               not-found
│   ├── GoneError                   gone
│   └── FeedGoneError               events-gone
├── ConflictError
│   ├── TestFailedError             test-failed
│   ├── InvalidTransitionError      invalid-transition
│   ├── PatchExistsError            patch-exists
│   ├── DuplicateIdentifierError    duplicate-identifier
│   ├── AmbiguousIdentifierError    ambiguous-identifier
│   ├── IncompatibleTargetError     incompatible-target
│   ├── ApplicationFailedError      application-failed
│   ├── ReferencedError             still-referenced
│   └── BusyIdempotencyKeyError     idempotency-key-in-use
├── PreconditionError
│   ├── VersionConflictError        version-conflict
│   └── PreconditionRequiredError   precondition-required
├── UnprocessableError
│   ├── PathNotFoundError           path-not-found
│   ├── PathNotAllowedError         path-not-allowed
│   ├── ImmutablePropertyError      immutable-property
│   ├── SchemaViolationError        schema-violation
│   ├── NotStorableError            not-storable
│   ├── IdempotencyKeyReusedError   idempotency-key-reused
│   ├── ArrayKeyError               array-keys
│   ├── NotExpressibleError         not-expressible
│   └── AmbiguousDocumentError      ambiguous-document
├── SourceError
│   ├── SourceForbiddenError        source-forbidden
│   ├── SourceNotFoundError         source-not-found
│   ├── SourceUnreachableError      source-unreachable
│   └── SourceTimeoutError          source-timeout
└── StoreError
    └── StoreUnavailableError       store-unavailable
"""

from typing import Any, ClassVar, Self

import msgspec
from msgspec import UNSET, UnsetType


class Violation(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One fault of a request, as it appears in the problem's `errors`; absent members are left out.

    `pointer` is a JSON Pointer (RFC 6901) into the document at fault, `field` a member of the request,
    `part` a form part, `input` the name of an input (`a`, `b`); `line` and `column` count from 1,
    `index` (of an operation) from 0; `limit` is the name of a setting or bound and `maximum` its value.
    """

    code: str
    detail: str
    input: str | UnsetType = UNSET
    part: str | UnsetType = UNSET
    field: str | UnsetType = UNSET
    pointer: str | UnsetType = UNSET
    line: int | UnsetType = UNSET
    column: int | UnsetType = UNSET
    index: int | UnsetType = UNSET
    op: str | UnsetType = UNSET
    path: str | UnsetType = UNSET
    expected: Any = UNSET
    actual: Any = UNSET
    limit: str | UnsetType = UNSET
    maximum: float | UnsetType = UNSET


class ServiceError(Exception):
    """A refusal or failure that the caller is told about.

    `detail` is one or two sentences that are safe to show: what is at fault and what to do next; never
    driver text, a server path, an internal address or a credential. `facts` are the members of the
    violation that stands for the error itself when no `violations` are given. `retry_after_s` says when the same
    request may be answered otherwise, None where waiting alone does not help.
    """

    code: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"
    retry_after_s: float | None = None

    def __init__(
        self,
        detail: str,
        *,
        violations: tuple[Violation, ...] = (),
        retry_after_s: float | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(detail)
        if retry_after_s is not None:
            self.retry_after_s = retry_after_s
        self.reason = self.detail = detail
        self.violations = violations or (Violation(code=self.code, detail=detail, **facts),)
        self.extensions: dict[str, Any] = {}

    def with_extensions(self, **extensions: Any) -> Self:
        """Add members to the problem document beside the standard ones."""
        self.extensions.update(extensions)
        return self

    def within(self, name: str) -> Self:
        """Say which input of the request the error is about; what was said before is replaced."""
        self.detail = f"Input '{name}': {self.reason}"
        self.violations = tuple(msgspec.structs.replace(each, input=name) for each in self.violations)
        return self


class RequestError(ServiceError):
    """The request itself cannot be understood."""


class MalformedJsonError(RequestError):
    """A body or input is not JSON as RFC 8259 and I-JSON want it."""

    code = "invalid-json"
    title = "Not valid JSON"


class InvalidRequestError(RequestError):
    """JSON, but not what the route takes: an unknown, missing or ill-typed member or parameter."""

    code = "invalid-request"
    title = "Not a valid request"


class InvalidPatchError(RequestError):
    """JSON, but not a patch: an unknown `op`, a missing member, a malformed pointer."""

    code = "invalid-patch"
    title = "Not a valid patch"


class InvalidMultipartError(RequestError):
    """Form data that is malformed, or has an unknown, repeated, missing or unterminated part."""

    code = "invalid-multipart"
    title = "Not valid form data"


class UnsupportedMediaTypeError(RequestError):
    """The content type is missing or not understood; `accepted` lists those that are."""

    code = "unsupported-media-type"
    title = "Unsupported media type"

    def __init__(self, detail: str, *, accepted: tuple[str, ...] = (), **facts: Any) -> None:
        super().__init__(detail, **facts)
        self.accepted = accepted


class NotAcceptableError(RequestError):
    """Nothing that `Accept` asks for can be produced."""

    code = "not-acceptable"
    title = "Not acceptable"


class RequestTimeoutError(RequestError):
    """The request's body did not arrive in time."""

    code = "request-timeout"
    title = "The request took too long to arrive"


class AccessError(ServiceError):
    """The caller may not do this, or not now."""


class UnauthenticatedError(AccessError):
    """No credentials, or none that hold."""

    code = "unauthenticated"
    title = "Authentication needed"


class ForbiddenError(AccessError):
    """Known caller, not allowed."""

    code = "forbidden"
    title = "Not allowed"


class RateLimitedError(AccessError):
    """Too many requests of one caller."""

    code = "rate-limited"
    title = "Too many requests"
    retry_after_s = 1.0


class LimitError(ServiceError):
    """Something is larger than the service is set to take."""


class TooLargeError(LimitError):
    """What was sent passes a limit; the violation names it and its value."""

    code = "too-large"
    title = "Too large"


class ResultTooLargeError(LimitError):
    """What would come of the request passes a limit (a document grown by `copy`, say)."""

    code = "too-large"
    title = "The result is too large"


class TooDeepError(LimitError):
    """Containers nested deeper than the limit."""

    code = "too-deep"
    title = "Nested too deep"


class TooComplexError(LimitError):
    """The work did not end within its time."""

    code = "too-complex"
    title = "Too much work"


class OverloadedError(LimitError):
    """Queues are full."""

    code = "overloaded"
    title = "Too busy"
    retry_after_s = 1.0


class LookupFailedError(ServiceError):
    """What the URL names is not there."""


class NotFoundError(LookupFailedError):
    """No such route, resource, record or version."""

    code = "not-found"
    title = "Not found"


class GoneError(LookupFailedError):
    """It was there and has been deleted."""

    code = "gone"
    title = "Deleted"


class FeedGoneError(LookupFailedError):
    """Events that the reader has not seen are kept no more, or those that it has seen were undone by a restore."""

    code = "events-gone"
    title = "The events are kept no more"


class ConflictError(ServiceError):
    """The request is sound but the state of things forbids it."""


class TestFailedError(ConflictError):
    """A `test` operation does not hold (RFC 6902, section 4.6)."""

    __test__ = False  # not a test class, whatever pytest makes of its name
    code = "test-failed"
    title = "A test operation does not hold"


class InvalidTransitionError(ConflictError):
    """The lifecycle has no such move from the present state; the detail names the legal ones."""

    code = "invalid-transition"
    title = "Not possible in this state"


class PatchExistsError(ConflictError):
    """The `patch_id` is taken by a patch with other content."""

    code = "patch-exists"
    title = "The patch exists with other content"


class DuplicateIdentifierError(ConflictError):
    """Another resource of the type holds the identifier."""

    code = "duplicate-identifier"
    title = "The identifier is taken"


class AmbiguousIdentifierError(ConflictError):
    """A bare identifier value fits more than one resource."""

    code = "ambiguous-identifier"
    title = "The identifier fits more than one resource"


class IncompatibleTargetError(ConflictError):
    """A constraint of the patch does not hold on the target."""

    code = "incompatible-target"
    title = "The target is not compatible"


class ApplicationFailedError(ConflictError):
    """The patch was applied and failed; the target is untouched."""

    code = "application-failed"
    title = "The patch failed on its target"


class ReferencedError(ConflictError):
    """Others still depend on it (contained resources of a parent, types of a provider)."""

    code = "still-referenced"
    title = "Still referenced"


class BusyIdempotencyKeyError(ConflictError):
    """The first request with this idempotency key is still being answered."""

    code = "idempotency-key-in-use"
    title = "The first request with this key is still running"
    retry_after_s = 1.0


class PreconditionError(ServiceError):
    """A condition the caller or the type set does not hold."""


class VersionConflictError(PreconditionError):
    """`If-Match` or `if_version` does not hold; `current` is the version that stands."""

    code = "version-conflict"
    title = "Another version stands"

    def __init__(self, detail: str, *, current: int | None = None, **facts: Any) -> None:
        super().__init__(detail, **facts)
        self.current = current


class PreconditionRequiredError(PreconditionError):
    """The type asks for `If-Match` and the request has none."""

    code = "precondition-required"
    title = "If-Match is required"


class UnprocessableError(ServiceError):
    """Well formed, and it cannot be done to this document."""


class PathNotFoundError(UnprocessableError):
    """The target of an operation does not exist (RFC 6902, section 4)."""

    code = "path-not-found"
    title = "The path does not exist"


class PathNotAllowedError(UnprocessableError):
    """The path lies beyond what the dialect reaches, or is not one that may be written."""

    code = "path-not-allowed"
    title = "The path may not be written"


class ImmutablePropertyError(UnprocessableError):
    """The service owns the member, or computes it."""

    code = "immutable-property"
    title = "The property cannot be changed"


class SchemaViolationError(UnprocessableError):
    """The final document does not hold to its type's schema."""

    code = "schema-violation"
    title = "The document does not hold to its schema"


class NotStorableError(UnprocessableError):
    """A value that the database cannot hold faithfully."""

    code = "not-storable"
    title = "A value cannot be stored"


class IdempotencyKeyReusedError(UnprocessableError):
    """The key came before with another request."""

    code = "idempotency-key-reused"
    title = "The idempotency key was used for another request"

    def __init__(self) -> None:
        super().__init__("The Idempotency-Key came before with another request. Use a new one for each.")


class ArrayKeyError(UnprocessableError):
    """Items of a keyed array lack a key or share one."""

    code = "array-keys"
    title = "Array items lack a key or share one"


class NotExpressibleError(UnprocessableError):
    """The answer cannot be said in the format asked for (`null` in a merge patch)."""

    code = "not-expressible"
    title = "Not expressible in this format"


class AmbiguousDocumentError(UnprocessableError):
    """The document has members that the delta format reserves."""

    code = "ambiguous-document"
    title = "The document reads as a delta"


class SourceError(ServiceError):
    """An input could not be obtained from where it is."""


class SourceForbiddenError(SourceError):
    """A reader refuses its source: disabled, outside its root, private address, too many redirects."""

    code = "source-forbidden"
    title = "The source may not be read"


class SourceNotFoundError(SourceError):
    """The source does not exist."""

    code = "source-not-found"
    title = "The source does not exist"


class SourceUnreachableError(SourceError):
    """A remote source failed."""

    code = "source-unreachable"
    title = "The source did not answer"


class SourceTimeoutError(SourceError):
    """A remote source took too long."""

    code = "source-timeout"
    title = "The source took too long"


class StoreError(ServiceError):
    """The database could not do its part."""


class StoreUnavailableError(StoreError):
    """The database is not reachable at present."""

    code = "store-unavailable"
    title = "The database is not reachable"
    retry_after_s = 1.0


class StartError(Exception):
    """The service cannot start. Not of the tree: it is for the operator's terminal and says what to do there."""
