namespace Ork.Analyzers.CodeFixes;

internal static class Placeholder;
