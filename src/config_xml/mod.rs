//! Generation 6 of the configuration: `.encfs6.xml` (format 2.3).
