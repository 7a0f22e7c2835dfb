"""The page that shows two documents side by side: a delta made into lines, folds and markup. It knows no request."""
