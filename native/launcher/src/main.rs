//! The program; what it does is in the library, where the fuzz targets find it too.

fn main() -> std::process::ExitCode {
    wherry_launcher::main()
}
