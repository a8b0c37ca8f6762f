//! How the settings of a new volume are chosen (format 10).
