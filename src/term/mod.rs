//! The terminal: passwords without echo, names made safe to print.
