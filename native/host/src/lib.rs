//! Host facilities that Node.js lacks.
