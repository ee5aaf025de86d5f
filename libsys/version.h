/* version.h - the one place that says which version this is. */
#ifndef LIBSYS_VERSION_H
#define LIBSYS_VERSION_H

#define RINGMAKER_VERSION "0.1.0"

#endif
