"""What reading and writing resources may refuse, for `openapi.yaml`."""

from service.errors import (
    AmbiguousIdentifierError,
    DuplicateIdentifierError,
    GoneError,
    ImmutablePropertyError,
    InvalidRequestError,
    MalformedJsonError,
    NotAcceptableError,
    NotFoundError,
    NotStorableError,
    OverloadedError,
    PreconditionRequiredError,
    RequestTimeoutError,
    ResultTooLargeError,
    SchemaViolationError,
    ServiceError,
    StoreUnavailableError,
    TooDeepError,
    TooLargeError,
    UnsupportedMediaTypeError,
    VersionConflictError,
)

READ_ERRORS: tuple[type[ServiceError], ...] = (
    InvalidRequestError,
    NotAcceptableError,
    NotFoundError,
    GoneError,
    AmbiguousIdentifierError,
    StoreUnavailableError,
)
WRITE_ERRORS: tuple[type[ServiceError], ...] = (
    InvalidRequestError,
    NotAcceptableError,
    MalformedJsonError,
    RequestTimeoutError,
    TooLargeError,
    UnsupportedMediaTypeError,
    DuplicateIdentifierError,
    VersionConflictError,
    ImmutablePropertyError,
    SchemaViolationError,
    TooDeepError,
    NotStorableError,
    ResultTooLargeError,
    OverloadedError,
    StoreUnavailableError,
)
CHANGE_ERRORS: tuple[type[ServiceError], ...] = (
    NotFoundError,
    GoneError,
    AmbiguousIdentifierError,
    PreconditionRequiredError,
    *WRITE_ERRORS,
)
