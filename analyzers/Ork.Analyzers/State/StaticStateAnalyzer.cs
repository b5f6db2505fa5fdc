using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.State;

/// <summary>
/// ORK0009: static fields and properties that can be set, static events, and static objects that something changes. A table that is filled where it is declared and only
/// read from is no state.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class StaticStateAnalyzer : DiagnosticAnalyzer
{
    private const string Own = "make it a field of what owns it";

    private static readonly ImmutableHashSet<string> Changing = ImmutableHashSet.Create(
        "Add", "AddRange", "TryAdd", "AddOrUpdate", "GetOrAdd", "Insert", "InsertRange", "Remove", "RemoveAt", "RemoveAll", "RemoveRange", "RemoveWhere",
            "TryRemove", "TryUpdate",
        "Clear", "Push", "Pop", "TryPop", "Enqueue", "Dequeue", "TryDequeue", "TryTake", "Append", "AppendLine", "Set", "SetValue", "UnionWith", "ExceptWith",
            "IntersectWith",
        "Sort", "Reverse", "AddFirst", "AddLast", "RemoveFirst", "RemoveLast", "Cancel", "Release", "Wait", "WaitAsync", "Write", "WriteLine", "TrySetResult",
            "SetResult");

    private static readonly ImmutableHashSet<string> Ambient = ImmutableHashSet.Create(
        "AsyncLocal", "ThreadLocal", "ConditionalWeakTable", "StrongBox", "Random", "Stopwatch", "CancellationTokenSource", "SemaphoreSlim",
            "TaskCompletionSource", "MemoryStream");

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.StaticState);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.StaticState)) return;
            var check = new Check(roles);
            start.RegisterSymbolAction(check.Declared, SymbolKind.Field, SymbolKind.Property, SymbolKind.Event);
            start.RegisterOperationAction(check.Reference, OperationKind.FieldReference, OperationKind.PropertyReference);
            start.RegisterCompilationEndAction(check.End);
        });
    }

    private sealed class Check(RoleReader roles)
    {
        private readonly ConcurrentDictionary<ISymbol, byte> _changed = new(SymbolEqualityComparer.Default);

        internal void Declared(SymbolAnalysisContext context)
        {
            var symbol = context.Symbol;
            if (!symbol.IsStatic || symbol.IsImplicitlyDeclared || symbol.IsAbstract || symbol.IsExtern) return;
            if (IsSettable(symbol)) context.Find(roles, Rules.StaticState, symbol.Name, Own);
            else if (TypeOf(symbol) is { } type && Ambient.Contains(type.Name)) context.Find(roles, Rules.StaticState, symbol.Name, "hand the value on as an argument");
            else if (IsOpenCollection(symbol)) context.Find(roles, Rules.StaticState, symbol.Name, "make it private, or of a type that nobody can change");
        }

        /// <summary>Remembers a static object that is changed through this reference.</summary>
        internal void Reference(OperationAnalysisContext context)
        {
            var member = ((IMemberReferenceOperation)context.Operation).Member;
            if (!member.IsStatic || member.Locations.Length == 0 || !member.Locations[0].IsInSource) return;
            if (IsFilling(context)) return;
            if (IsChanged(context.Operation)) _changed.TryAdd(member.OriginalDefinition, 0);
        }

        /// <summary>Code that runs once, before anyone else sees the object.</summary>
        private static bool IsFilling(OperationAnalysisContext context)
        {
            var isOnce = context.ContainingSymbol is IMethodSymbol { MethodKind: MethodKind.StaticConstructor } or IFieldSymbol { IsStatic: true } or IPropertySymbol { IsStatic: true };
            if (!isOnce) return false;
            for (var at = context.Operation.Parent; at is not null; at = at.Parent)
            {
                if (at is IAnonymousFunctionOperation) return false;
            }

            return true;
        }

        internal void End(CompilationAnalysisContext context)
        {
            foreach (var member in _changed.Keys)
            {
                var stateless = IsSettable(member) || IsOpenCollection(member) || (TypeOf(member) is { } type && Ambient.Contains(type.Name));
                if (!stateless && (Rules.StaticState.Roles & roles.Of(member)) != 0)
                    context.ReportDiagnostic(Diagnostic.Create(Rules.StaticState.Descriptor, member.Locations[0], member.Name, Own));
            }
        }

        private static ITypeSymbol? TypeOf(ISymbol symbol) => symbol switch
        {
            IFieldSymbol field => field.Type,
            IPropertySymbol property => property.Type,
            _ => null,
        };

        private static bool IsSettable(ISymbol symbol) => symbol switch
        {
            IFieldSymbol field => !field.IsReadOnly && !field.IsConst,
            IPropertySymbol property => property.SetMethod is { IsInitOnly: false } && property.IsStored(),
            IEventSymbol @event => @event.AddMethod is { IsImplicitlyDeclared: true },
            _ => false,
        };

        /// <summary>A collection that anyone outside the assembly can change.</summary>
        private static bool IsOpenCollection(ISymbol symbol)
        {
            for (var at = symbol; at is not null and not INamespaceSymbol; at = at.ContainingSymbol)
            {
                if (at.DeclaredAccessibility != Accessibility.Public) return false;
            }

            if (symbol is IPropertySymbol property && !property.IsStored()) return false;
            return TypeOf(symbol) switch
            {
                IArrayTypeSymbol => true,
                INamedTypeSymbol { Name: "List" or "Dictionary" or "HashSet" or "Queue" or "Stack" or "SortedDictionary" or "SortedSet" or "LinkedList" or "ConcurrentDictionary"
                    or "ConcurrentQueue" or "ConcurrentBag" or "StringBuilder" or "IList" or "IDictionary" or "ICollection" or "ISet" } => true,
                _ => false,
            };
        }

        /// <summary>Whether what a reference stands for is written to: an element, a member, or by a method that changes it.</summary>
        private static bool IsChanged(IOperation reference)
        {
            var at = reference;
            while (true)
            {
                var parent = at.Parent;
                switch (parent)
                {
                    case IConversionOperation or IParenthesizedOperation:
                        at = parent;
                        continue;
                    case IAssignmentOperation assignment when assignment.Target == at:
                    case IIncrementOrDecrementOperation:
                        return at != reference;
                    case IArgumentOperation { Parameter.RefKind: RefKind.Ref or RefKind.Out }:
                        return true;
                    case IArrayElementReferenceOperation element when element.ArrayReference == at:
                    case IMemberReferenceOperation { Instance: { } instance } when instance == at && !IsValueCopy(at):
                        at = parent;
                        continue;
                    case IInvocationOperation call when call.Instance == at:
                        return Changes(call.TargetMethod);
                    case IArgumentOperation { Parameter.Ordinal: 0, Parent: IInvocationOperation { TargetMethod: { Name: "Sort" or "Fill" or "Clear" or "Reverse", ContainingType.Name: "Array" } } }:
                        return true;
                    default:
                        return false;
                }
            }
        }

        private static bool IsValueCopy(IOperation at) => at is IPropertyReferenceOperation { Property: { RefKind: RefKind.None, IsIndexer: false },
            Type.IsValueType: true };

        private static bool Changes(IMethodSymbol method)
        {
            if (method.ContainingNamespace?.ToDisplayString() is { } space && space.StartsWith("System", StringComparison.Ordinal))
                return Changing.Contains(method.Name) && !method.ContainingNamespace.ToDisplayString().StartsWith("System.Collections.Immutable",
                    StringComparison.Ordinal) && !method.IsReadOnly;
            return Writers.Writes(method.OriginalDefinition);
        }
    }

    /// <summary>Whether a method of the compilation writes a field of its own object.</summary>
    private static class Writers
    {
        internal static bool Writes(IMethodSymbol method)
        {
            foreach (var reference in method.DeclaringSyntaxReferences)
            {
                foreach (var node in reference.GetSyntax().DescendantNodes())
                {
                    var target = node switch
                    {
                        Microsoft.CodeAnalysis.CSharp.Syntax.AssignmentExpressionSyntax assignment => assignment.Left,
                        Microsoft.CodeAnalysis.CSharp.Syntax.PostfixUnaryExpressionSyntax { RawKind: (int)Microsoft.CodeAnalysis.CSharp.SyntaxKind.PostIncrementExpression
                            or (int)Microsoft.CodeAnalysis.CSharp.SyntaxKind.PostDecrementExpression } postfix => postfix.Operand,
                        Microsoft.CodeAnalysis.CSharp.Syntax.PrefixUnaryExpressionSyntax { RawKind: (int)Microsoft.CodeAnalysis.CSharp.SyntaxKind.PreIncrementExpression
                            or (int)Microsoft.CodeAnalysis.CSharp.SyntaxKind.PreDecrementExpression } prefix => prefix.Operand,
                        _ => null,
                    };
                    if (target is not null && IsOwnField(target.ToString(), method.ContainingType)) return true;
                }
            }

            return false;
        }

        private static bool IsOwnField(string name, INamedTypeSymbol type)
        {
            if (name.StartsWith("this.", StringComparison.Ordinal)) name = name.Substring(5);
            return type.GetMembers(name).Any(member => member is IFieldSymbol { IsStatic: false } or IPropertySymbol { IsStatic: false });
        }
    }
}
